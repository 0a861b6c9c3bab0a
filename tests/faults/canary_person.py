"""A person whom nothing else names, from registration to erasure: known to council and winner alone (line 12).

Every word that is personal is made up and stands nowhere else. At rest there is none of it in clear, ever; the pages
and answers of everybody outside the council, and of those of its offices who place nobody, hold none of it either.
"""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

from sqlmodel import Session

from bidding.aftercare import hand_back, start_contract
from bidding.closings import Closing
from bidding.erasing import erase_person
from bidding.publishing import hold, resume, withdraw
from bidding.questions import answer, ask
from dps.contracts.reasons import HandBackReason
from dps.kernel.actors import Role
from dps.kernel.ports import Ports
from dps.packages.erasure import ErasureReason, scrub
from dps.packages.exclusions import Ground, Reason, exclude
from dps.packages.facts import Confidential, FreeText
from dps.packages.identity import Identity
from dps.packages.persons import Person
from dps.schemes.loader import preset
from dps.schemes.model import Scheme
from tests.faults import sinks, walking
from tests.faults.figures import Figure
from tests.faults.spellings import Search, of_person
from tests.support.world import World
from tests.web.pages.test_desk import at_the_desk
from tests.web.pages.test_portal import handed_in, provider
from tests.web.served import Served
from web.postman import SpoolPostman
from web.security.accounts import Part

WORDS = (
    "Quizzlethorpe", "Zebediah", "Xanthippe", "9434765919", "943 476 5919", "01632 960487", "Okonjovitz",
    "Grumblewick", "Flibberdoor", "Wobblebottom", "Snickersnee", "Whimsydale", "WA10 1ZZ", "1938-02-17",
    "17 February 1938",
)  # fmt: skip
"""What tells who the person is. Two of each that is written with spaces: with them and without."""

IDENTITY = Identity(
    name="Zebediah Quizzlethorpe",
    address="77 Xanthippe Wynd",
    postcode="WA10 1ZZ",
    date_of_birth=date(1938, 2, 17),
    nhs_number="943 476 5919",
    phone="01632 960487",
    contact="Nephew Okonjovitz",
    notes="Grumblewick is the cat.",
)
HIDDEN = Confidential(
    postcode="WA10 1ZZ",
    address="77 Xanthippe Wynd",
    access="Keysafe behind the Flibberdoor",
    preference_reason="Whimsydale looked after a sister well.",
)
HELD_BACK = FreeText(pen_picture="Mr Wobblebottom to his friends.", outcomes=("Walks with Okonjovitz.",))

OFFICES_THAT_PLACE = frozenset({Part.BROKER, Part.APPROVER, Part.REQUESTER})
_ROLES_THAT_PLACE = frozenset({Role.CLOCK, Role.BROKER, Role.APPROVER, Role.REQUESTER})


def telling_scheme() -> Scheme:
    """St Helens, publishing of two people as much as of a crowd: nothing but the rules of the words holds any back."""
    scheme = preset("st-helens")
    return scheme.model_copy(
        update={"publication": scheme.publication.model_copy(update={"full_from_referrals": 0, "smallest_group": 2})}
    )


class Life:
    """What happens to the person, step by step; who else looks on."""

    def __init__(self, council: Served) -> None:
        self.council = council
        self.winner = provider(council, "Winner Homecare")
        self.loser = provider(council, "Loser Homecare")
        self.excluded = council.world.provider("Excluded Homecare")
        self.read_by_winner = b""
        self.refs: dict[str, str] = {}

    def refer(self) -> None:
        """Registered, excluded from one provider, published with the words held back, held, sought again."""
        world = self.council.world
        world.referral()  # a second person of the same needs: two are a crowd here
        referral = world.referral(identity=IDENTITY, confidential=HIDDEN, free_text=HELD_BACK, publish_it=False)
        with world.database.transaction() as session:
            exclude(
                session,
                world.ports.keyring,
                world.ports.entropy,
                session.get_one(Person, self.person.id),
                provider=str(self.excluded.provider),
                reason=Reason(ground=Ground.SAFEGUARDING, words="Snickersnee was said to be unkind."),
                actor=world.broker,
                now=world.now,
            )
        world.publish(referral)
        world.run(hold, referral_ref=referral, reason="Snickersnee: in hospital again", actor=world.broker)
        world.run(resume, referral_ref=referral, actor=world.broker)
        round_ = world.round(referral).ref
        asked = world.run(ask, round_ref=round_, words="Is there a hoist?", actor=self.winner.actor)  # type: ignore[attr-defined]
        world.run(answer, question_ref=asked, shown="Is there a hoist?", words="Yes.", actor=world.broker)
        self.refs = {
            "referral_ref": referral,
            "round_ref": round_,
            "question_ref": asked,
            "person_ref": self.person.ref,
        }

    def place(self) -> None:
        """Bid for, awarded, accepted, read by the winner, confirmed, written to, served."""
        world, referral = self.council.world, self.refs["referral_ref"]
        winning = self.winner.actor  # type: ignore[attr-defined]
        bid = handed_in(self.council, self.winner, referral, "15.00")
        handed_in(self.council, self.loser, referral, "19.00")
        self.refs |= {"bid_ref": bid, "closing_ref": _closing(world, referral)}
        world.close(referral)
        award = world.award(referral)
        self.winner.open(f"/portal/offers/{award.ref}")
        self.winner.send(f"/portal/offers/{award.ref}/acceptance")
        self.read_by_winner = self.winner.open(f"/portal/offers/{award.ref}/person").content
        self.winner.open(f"/portal/offers/{award.ref}")
        contract = self.winner.send(f"/portal/offers/{award.ref}/confirmation").url.path.rpartition("/")[2]
        self.refs |= {"award_ref": award.ref, "contract_ref": contract}
        broker = at_the_desk(self.council)
        broker.open(f"/desk/referrals/{referral}/letter")
        broker.send(f"/desk/referrals/{referral}/letter", call="Synthetic Broker, 01632 960000")
        world.run(start_contract, contract_ref=contract, first_visit_on=world.now.date(), actor=winning)

    def end(self) -> None:
        """Handed back, sought again, withdrawn, erased."""
        world = self.council.world
        world.step(days=20)
        world.run(
            hand_back,
            contract_ref=self.refs["contract_ref"],
            reason=HandBackReason.STAFFING,
            last_day=world.now.date(),
            actor=self.winner.actor,  # type: ignore[attr-defined]
        )
        world.step(days=40)
        why = "Snickersnee: cared for by a nephew"
        world.run(withdraw, referral_ref=self.refs["referral_ref"], reason=why, actor=world.broker)
        world.run(_erased, person=self.person.ref, council=self.council)
        for _ in range(5):
            if scrub(world.database):
                return
        raise AssertionError("the log could not be cut: somebody is reading")

    @property
    def person(self) -> Person:
        return self.council.world.rows(Person)[-1]


def _closing(world: World, referral: str) -> str:
    (closing,) = world.rows(Closing, Closing.id == world.round(referral).closing_id)
    return closing.ref


def _erased(session: Session, ports: Ports, *, person: str, council: Served) -> None:
    reason = ErasureReason.PERSONS_REQUEST
    erase_person(session, ports, person_ref=person, reason=reason, actor=council.world.second)


def a_life(council: Served, folder: Path, *, is_sampled: bool) -> Figure:
    """Live it, look everywhere at each of its stages, forget it, and look again."""
    found = Figure(12, "a canary person's whole life over every sink")
    world = council.world
    log_from = sinks.log_began(world.database)
    # What pages show does not hang on the database: a sample walks on one of them.
    walks = world.database.is_sqlite or not is_sampled
    hidden = Search(of_person(WORDS))
    with sinks.logged() as lines:
        life = Life(council)
        life.refer()
        if not is_sampled:
            _look_outside(hidden, life, is_sampled=is_sampled)
        life.place()
        if not hidden.look("the winner", life.read_by_winner):
            found.faults.append("the winner does not read who the person is: the search proves nothing")
        hidden.hits.clear()
        if walks:
            _look_outside(hidden, life, is_sampled=is_sampled)
        key = life.person.wrapped_key or b"no key"
        at_rest = Search([*hidden.spellings])
        for where, content in _at_rest(council, folder, "served", log_from):
            at_rest.look(where, content)
        life.end()
    hidden.look("logs", lines.getvalue().encode())
    erased = Search([*hidden.spellings, key, key.hex().encode(), key.hex().upper().encode()])
    for where, content in _at_rest(council, folder, "erased", log_from):
        if "pg_wal" not in where:
            erased.look(where, content)
    if walks:
        _look_inside(erased, life)
    trail = world.faults()
    found.faults += [*hidden.hits, *(f"at rest: {hit}" for hit in at_rest.hits)]
    found.faults += [*(f"after erasure: {hit}" for hit in erased.hits), *(f"the trail: {fault}" for fault in trail)]
    found.counted = {
        "answers and pages": hidden.looked_at,
        "sinks": at_rest.looked_at,
        "looks after erasure": erased.looked_at,
        "spellings": len(hidden.spellings),
    }
    return found


def _look_outside(hidden: Search, life: Life, *, is_sampled: bool) -> None:
    """Other providers, the public, and the offices that place nobody."""
    council = life.council
    others = [life.loser.actor.provider] if is_sampled else [life.loser.actor.provider, life.excluded.provider]  # type: ignore[attr-defined]
    parts = tuple(part for part in Part if part not in OFFICES_THAT_PLACE)
    for other in others:
        posts = not is_sampled
        for where, content in walking.pages(
            council, [life.refs], provider=other, parts=parts, posts=posts, refusals=posts
        ):
            hidden.look(where, content)
        roles = tuple(role for role in Role if role not in _ROLES_THAT_PLACE)
        for where, content in walking.answers(council, [life.refs], provider=other, roles=roles):
            hidden.look(where, content)


def _look_inside(erased: Search, life: Life) -> None:
    """Once erased, not even the broker and the winner find who it was."""
    council = life.council
    winner = life.winner.actor.provider  # type: ignore[attr-defined]
    for where, content in walking.pages(council, [life.refs], provider=winner, parts=(Part.BROKER, Part.PROVIDER_USER)):
        erased.look(where, content)


def _at_rest(council: Served, folder: Path, when: str, log_from: str) -> Iterator[sinks.Sink]:
    world = council.world
    world.timetable.carry_messages()
    for message in world.postman.messages:
        SpoolPostman(folder / "spool", site="https://council.example", keyring=world.ports.keyring).carry(message)
    yield from sinks.of_database(world.database, log_from)
    yield from sinks.copied(world.database, folder / "keys", folder / f"copy-{when}")
    yield from sinks.of_folder("spool", folder / "spool")
