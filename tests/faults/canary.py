"""Prices and people that nothing else says, planted everywhere and looked for everywhere (lines 3 and 12).

A canary price goes in by every way that there is; until its closing opens it may be read in its bidder's own browser
and nowhere else. Then the same search must find it, or it proves nothing. A canary person goes through a whole life.
"""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from bidding import deadline
from bidding.bids.content import BidContent
from bidding.bids.records import Bid, BidState, OpenedBid
from bidding.closings import Closing
from bidding.rounds import Round
from bidding.sealing.seal import commitment_of
from dps.kernel.actors import Role
from dps.kernel.columns import canonical_json
from dps.kernel.money import Band, PriceBasis, RateCard
from dps.register.rate_cards import put_rate_card
from dps.schemes.loader import preset
from dps.schemes.model import Envelope, Scheme
from tests.faults import sinks, walking
from tests.faults.figures import Figure
from tests.faults.spellings import PriceCanary, Search
from tests.web.pages.test_desk import at_the_desk
from tests.web.pages.test_portal import answers, handed_in, provider
from tests.web.served import Served
from web.pages.portal.drafts import BidDraft
from web.postman import SpoolPostman
from web.security.accounts import Part

CANARY = PriceCanary()
STANDING = PriceCanary(pounds=126_418)
"""A provider's standing price: it may fill in its own forms, and is told to nobody else."""

WEEK = "Mon 07:30-09:30 30m personal_care"
REALISTIC_PENCE = 1763


def dear_scheme() -> Scheme:
    """St Helens, where half a million pounds an hour lie in the envelope: no other number looks like such a price."""
    scheme = preset("st-helens")
    wide = (Envelope(floor_pence_per_hour=1_400, ceiling_pence_per_hour=500_000_00),)
    return scheme.model_copy(update={"lots": tuple(lot.model_copy(update={"envelopes": wide}) for lot in scheme.lots)})


class Planted:
    """Canary prices, each in by another way, in bids that are live, replaced, withdrawn, typed, refused."""

    def __init__(self, council: Served) -> None:
        self.council = council
        world = council.world
        self.bidder = provider(council, "Form Homecare")
        self.caller = council.provider("System Homecare")
        self.filer = council.provider("File Homecare")
        self.leaver = council.provider("Withdrawn Homecare")
        self.usual = council.provider("Usual Homecare")
        self.rung = provider(council, "Telephone Homecare")
        self.rival = world.provider("Rival Homecare")
        self.referral = world.referral(visits=WEEK)
        self.other = world.referral(visits=WEEK)
        self.round = world.round(self.referral).ref
        self.in_own_browser = b""
        self.bids: list[str] = []

    def plant(self) -> None:
        self._standing_price()
        self._by_form()
        self._by_program()
        self._by_telephone()
        self._on_one_page()

    def _standing_price(self) -> None:
        world = self.council.world
        world.run(
            put_rate_card,
            provider_id=world.row_of(self.bidder.actor).id,  # type: ignore[attr-defined]
            scheme=world.scheme,
            lot=world.scheme.lots[0].key,
            card=RateCard.of(PriceBasis.PER_HOUR, {Band.WEEKDAY: STANDING.price(1)}),
            actor=self.bidder.actor,  # type: ignore[attr-defined]
        )

    def _by_form(self) -> None:
        """Live, after two that it replaced; one more is checked and left, and two are saved as drafts."""
        for number in range(3):
            self.bids.append(handed_in(self.council, self.bidder, self.referral, _pounds(number)))
        path = f"/portal/opportunities/{self.round}/bid"
        self.in_own_browser = self.bidder.open(path).content
        self.bidder.send(f"{path}/check", **{"price-weekday": _pounds(3)}, **answers(self.council))
        for referral, number in ((self.referral, 4), (self.other, 5)):
            path = f"/portal/opportunities/{self.council.world.round(referral).ref}/bid"
            self.bidder.open(path)
            self.in_own_browser += self.bidder.send(f"{path}/draft", **{"price-weekday": _pounds(number)}).content
        assert len(self.council.world.rows(BidDraft)) == 2

    def _by_program(self) -> None:
        """Live, withdrawn, refused, sent again with another price, and a file of them."""
        body, kept = self._body(10), self.caller
        first = kept.post("/api/bids", body, key="kept")
        self.bids.append(first.json()["bid"])
        assert kept.post("/api/bids", self._body(11), key="kept").status_code == 422
        bid = self.leaver.post("/api/bids", self._body(12)).json()["bid"]
        assert self.leaver.post(f"/api/bids/{bid}/withdrawal").status_code == 200
        self.bids.append(bid)
        wrong = self._body(13)
        wrong["bid"]["starts_on"] = "2019-01-01"
        assert kept.post("/api/bids", wrong).status_code == 422
        rows = self.filer.post("/api/bids/file", {"rows": [self._body(14), wrong]})
        self.bids.append(rows.json()[0]["receipt"]["bid"])
        self.bids.append(self.usual.post("/api/bids", self._body_of(REALISTIC_PENCE)).json()["bid"])

    def _by_telephone(self) -> None:
        broker = at_the_desk(self.council)
        path = f"/desk/rounds/{self.round}/telephone/{self.rung.actor.provider}"  # type: ignore[attr-defined]
        broker.open(path)
        broker.send(path, **{"price-weekday": _pounds(20)}, **answers(self.council))
        broker.client.post(path, data=broker.form(path) | answers(self.council))
        (bid,) = self.council.world.rows(Bid, Bid.typed_by != None)  # noqa: E711
        self.bids.append(bid.ref)

    def _on_one_page(self) -> None:
        path = "/portal/bids/many"
        self.rung.open(f"{path}?tick=all")
        prices = {
            name: _pounds(30 + place)
            for place, name in enumerate(sorted(self.rung.form(f"{path}/check")))
            if name.startswith("price-")
        }
        assert prices
        self.rung.send(f"{path}/check", **prices, **answers(self.council))
        self.rung.send(f"{path}/submission")

    def too_late(self) -> None:
        """The instant has come, and no sweep yet."""
        world = self.council.world
        world.clock.move_to(world.closes_at(self.referral))
        assert self.caller.post("/api/bids", self._body(40)).status_code == 409

    def _body(self, number: int) -> dict[str, Any]:
        return self._body_of(CANARY.price(number))

    def _body_of(self, pence: int) -> dict[str, Any]:
        return self.council.bid_body(self.referral, pence)

    @property
    def stories(self) -> list[dict[str, str]]:
        """References by the names that routes give them, for each bid."""
        world = self.council.world
        (closing,) = {one.ref for one in world.rows(Closing)}
        common = {
            "referral_ref": self.referral,
            "round_ref": self.round,
            "closing_ref": closing,
            "provider": str(self.bidder.actor.provider),  # type: ignore[attr-defined]
            "provider_ref": str(self.bidder.actor.provider),  # type: ignore[attr-defined]
        }
        return [common | {"bid_ref": bid} for bid in self.bids]


def _pounds(number: int) -> str:
    pence = CANARY.price(number)
    return f"{pence // 100}.{pence % 100:02d}"


def prices(council: Served, folder: Path, *, attempts: int, guessed_to: int, is_sampled: bool) -> Figure:
    """Plant, look everywhere, try to open early, guess; then open, and see that the search would have found it."""
    found = Figure(3, "canary prices over every sink")
    database, world = council.world.database, council.world
    log_from = sinks.log_began(database)
    hidden = Search(CANARY.spellings + STANDING.spellings)
    with sinks.logged() as lines:
        planted = Planted(council)
        planted.plant()
        if not hidden.look("the bidder's own browser", planted.in_own_browser):
            found.faults.append("the bidder's own browser does not show its own price: the search proves nothing")
        hidden.hits.clear()
        # What pages show does not hang on the database: a sample walks on one of them.
        if database.is_sqlite or not is_sampled:
            _walk(hidden, council, planted, is_sampled=is_sampled)
        refused = early(council, planted, attempts)
        planted.too_late()
        world.timetable.carry_messages()
        for message in world.postman.messages:
            SpoolPostman(folder / "spool", site="https://council.example", keyring=world.ports.keyring).carry(message)
    hidden.look("logs", lines.getvalue().encode())
    for where, content in _at_rest(council, folder, log_from):
        hidden.look(where, content)
    found.faults += hidden.hits
    found.faults += [] if refused == attempts else [f"{attempts - refused} early attempts were not refused and audited"]
    guesses = set(guessed(planted, guessed_to))
    stored = set(sinks.digests(database, log_from))
    found.faults += ["a stored digest confirms a guessed price"] if guesses & stored else []
    world.timetable.sweep()
    found.faults += seen_afterwards(council, planted, stored, log_from)
    found.counted = {
        "sinks and answers": hidden.looked_at,
        "million bytes": round(hidden.bytes_read / 1e6),
        "spellings": len(hidden.spellings),
        "early attempts refused and audited": refused,
        "guesses": len(guesses),
        "stored values": len(stored),
    }
    return found


def _walk(hidden: Search, council: Served, planted: Planted, *, is_sampled: bool) -> None:
    """As a rival, as everybody of the council, and as the bidder's own people in another browser."""
    stories = planted.stories[-1:] if is_sampled else planted.stories
    rival, own = planted.rival.provider, planted.bidder.actor.provider  # type: ignore[attr-defined]
    office = tuple(part for part in Part if not part.value.startswith("provider"))
    posts = not is_sampled
    shown: list[Iterator[sinks.Sink]] = [
        walking.pages(council, stories, provider=rival, posts=posts, refusals=posts),
        walking.answers(council, stories, provider=rival, posts=posts),
        walking.answers(council, planted.stories[:1], provider=own, roles=(Role.PROVIDER,)),
    ]
    for looks in shown:
        for where, content in looks:
            hidden.look(where, content)
    # Its colleagues may read their standing price; what was bid not even they.
    bid = Search(CANARY.spellings)
    people = tuple(part for part in Part if part not in office)
    for where, content in walking.pages(
        council, planted.stories[:3], provider=own, parts=people[: 1 if is_sampled else 2]
    ):
        bid.look(where, content)
    hidden.hits += bid.hits
    hidden.looked_at += bid.looked_at


def _at_rest(council: Served, folder: Path, log_from: str) -> Iterator[sinks.Sink]:
    database = council.world.database
    yield from sinks.of_database(database, log_from)
    yield from sinks.copied(database, folder / "keys", folder / "copy")
    yield from sinks.of_folder("spool", folder / "spool")


def early(council: Served, planted: Planted, attempts: int) -> int:
    """Try to open early as the worker, by the API and by a page; how many were refused with an audit row."""
    world = council.world
    closing = world.rows(Closing)[0]
    live = planted.stories[2]["bid_ref"]
    known = _refusals(council)
    api = council.caller(Role.PROVIDER, provider=planted.bidder.actor.provider)  # type: ignore[attr-defined]

    def as_worker() -> None:
        assert not world.run(deadline.open_bids, closing_id=closing.id or 0, opener=world.timetable.opener)

    def by_program() -> None:
        assert api.get(f"/api/bids/{live}/debriefs/{planted.round}").status_code == 409

    def by_page() -> None:
        assert planted.bidder.open(f"/portal/bids/{live}/debriefs/{planted.round}").status_code == 409

    ways: list[Callable[[], None]] = [as_worker, by_program, by_page]
    for number in range(attempts):
        ways[number % len(ways)]()
    assert not world.rows(OpenedBid)
    return _refusals(council) - known


def _refusals(council: Served) -> int:
    return sum(len(council.world.events(kind)) for kind in ("bid.look_refused", "closing.opening_refused"))


def guessed(planted: Planted, to: int) -> Iterator[bytes]:
    """Digests of everything that could be made of a price by whoever knows all but the price and the nonce."""
    world = planted.council.world
    owner = world.rows(Bid, Bid.ref == planted.bids[-2])[0]
    rounds = [one.ref for one in world.rows(Round, Round.ref == planted.round)]
    one = world.content(planted.referral, 1)
    for pence in range(1, to):
        content = replace(one, card=RateCard.of(PriceBasis.PER_HOUR, {Band.WEEKDAY: pence}))
        for text in _said_of(content, pence, rounds, owner.provider):
            for name in ("sha256", "sha1", "md5", "sha512", "blake2b", "sha3_256"):
                yield hashlib.new(name, text.encode()).digest()


def _said_of(content: BidContent, pence: int, rounds: list[str], bidder: str) -> Iterator[str]:
    said = content.to_dict()
    yield str(pence)
    yield f"{pence // 100}.{pence % 100:02d}"
    yield content.card.to_json()
    yield canonical_json(said)
    yield canonical_json([rounds, said, bidder])
    yield canonical_json({"rounds": rounds, "bid": said})


def seen_afterwards(council: Served, planted: Planted, stored: set[bytes], log_from: str) -> Iterator[str]:
    """The proof of the proof: once opened the same search finds the price, and the nonce confirms the commitment."""
    search = Search(CANARY.spellings)
    for where, content in sinks.of_database(council.world.database, log_from):
        search.look(where, content)
    if not any("dump" in hit for hit in search.hits):
        yield "an opened price is not found in the dump: the search proves nothing"
    opened = council.world.rows(OpenedBid)
    if not opened or any(bytes.fromhex(commitment_of(one.content, one.nonce)) not in stored for one in opened):
        yield "a commitment is not among the stored digests: the guesses prove nothing"
    kept = {one.bid_id for one in opened}
    gone = council.world.rows(Bid, Bid.state.in_([BidState.REPLACED, BidState.WITHDRAWN]))  # type: ignore[attr-defined]
    if not gone or any(one.id in kept for one in gone):
        yield "a bid that was taken back was opened"
