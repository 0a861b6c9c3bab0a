"""A small council in a database, for tests: a scheme in force, providers that may bid, packages to place.

Everything goes through the same commands as in life; a stepped clock and seeded entropy make each test repeat itself.
All people and providers here are synthetic.
"""

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Self, TypeVar

from sqlmodel import SQLModel, col, select

from bidding import aftercare
from bidding.asking import offer_card
from bidding.awards import moving
from bidding.awards.records import Award
from bidding.bids.content import BidContent
from bidding.bids.submitting import submit_in
from bidding.first_visit import days_offered
from bidding.looking.remarked import remarks
from bidding.proof import verify
from bidding.publishing import make_ready, publish
from bidding.referrals import Referral, open_referral
from bidding.rounds import Round, current_round, invitations_of
from bidding.sealing.opening import Identities
from bidding.timetable import Swept, Timetable
from dps.kernel.actors import Actor, Role
from dps.kernel.audit import AuditEvent
from dps.kernel.clock import SteppedClock
from dps.kernel.database import Database
from dps.kernel.entropy import SeededEntropy
from dps.kernel.keys import load_keyring
from dps.kernel.money import Band, PriceBasis, RateCard
from dps.kernel.outbox import OutboxMessage
from dps.kernel.ports import Ports
from dps.law.clocks import Clock
from dps.law.notices import record_notice
from dps.packages.facts import Confidential, FreeText, PackageFacts, fundings_of
from dps.packages.identity import Identity, age_band
from dps.packages.packages import confirm_free_text, create_package
from dps.packages.persons import register_person
from dps.packages.schedule import parse_schedule
from dps.register.capacity import declare
from dps.register.documents import receive
from dps.register.limits import LimitPart, set_take_limit
from dps.register.membership import admit
from dps.register.providers import Provider, add_location, register_provider
from dps.schemes.joining import ListShape
from dps.schemes.loader import preset, rule_hash
from dps.schemes.model import Rating, Scheme, Urgency
from dps.schemes.stored import publish_rules
from matching.allocation import SolverProcess
from tests.support.keys import put_keys

Answer = TypeVar("Answer")
Row = TypeVar("Row", bound=SQLModel)

MORNING_VISITS = "Mon-Sun 07:30-09:30 30m personal_care"


@dataclass
class Carried:
    """A postman that keeps what it was given."""

    messages: list[OutboxMessage] = field(default_factory=list)

    def carry(self, message: OutboxMessage) -> None:
        self.messages.append(message)


def with_open_lists(scheme: Scheme) -> Scheme:
    """The scheme with room for any number of providers on each of its lists."""
    lists = tuple(one.model_copy(update={"shape": ListShape.SEVERAL_PER_AREA, "most": None}) for one in scheme.lists)
    return scheme.model_copy(update={"lists": lists})


class World:
    """One council at a chosen instant. `now` moves only by `move_to` and `step`, and sweeping is asked for."""

    def __init__(
        self, database: Database, folder: Path, scheme: Scheme | str = "st-helens", seed: str = "test"
    ) -> None:
        self.database = database
        self.scheme = preset(scheme) if isinstance(scheme, str) else scheme
        assert self.scheme.demo is not None
        keys, identities = folder / "keys", folder / "identities"
        put_keys(keys, identities)
        self.clock = SteppedClock(self.scheme.demo.starts_at.astimezone(UTC))
        self.ports = Ports(clock=self.clock, entropy=SeededEntropy(seed), keyring=load_keyring(keys))
        self.postman = Carried()
        self.timetable = Timetable(
            database=database,
            ports=self.ports,
            opener=Identities(identities),
            postman=self.postman,
            solver=_solver(),
        )
        self.authority = self.scheme.authorities[0].key
        self.broker = Actor(ref="broker-1", role=Role.BROKER, authority=self.authority)
        self.second = Actor(ref="approver-2", role=Role.APPROVER, authority=self.authority)
        self.officer = Actor(ref="officer-1", role=Role.REGISTER_OFFICER, authority=self.authority)
        self.commissioner = Actor(ref="commissioner-1", role=Role.COMMISSIONER, authority=self.authority)
        self._people = 0
        with database.transaction() as session:
            publish_rules(session, self.scheme, self.commissioner, self.clock.read(session))

    def acting_for(self, authority: str) -> Self:
        """The same world from the desks of another authority of the scheme."""
        other = copy.copy(self)
        other.authority = authority
        for desk in ("broker", "second", "officer", "commissioner"):
            own = getattr(self, desk)
            setattr(other, desk, replace(own, ref=f"{own.ref}-of-{authority}", authority=authority))
        return other

    # Time

    @property
    def now(self) -> datetime:
        with self.database.reading() as session:
            return self.clock.read(session)

    def move_to(self, instant: datetime) -> Swept:
        self.clock.move_to(instant)
        return self.timetable.sweep()

    def step(self, **delta: float) -> Swept:
        return self.move_to(self.now + timedelta(**delta))

    def publish_lists(self) -> None:
        """Tell the public who is on which list, without which nothing is published after the law's days."""
        with self.database.transaction() as session:
            record_notice(
                session,
                scheme=self.scheme,
                clock=Clock.TIERS,
                about="",
                number="https://council.example/lists",
                published_on=self.now.date(),
                actor=self.commissioner,
                now=self.now,
            )

    # The market

    def provider(
        self,
        name: str,
        *,
        lists: Sequence[str] | None = None,
        localities: Sequence[str] | None = None,
        hours: int = 100,
        rating: Rating = Rating.GOOD,
        lad: str | None = None,
    ) -> Actor:
        """A provider of every lot, approved and insured, with free hours; returns who acts for it."""
        scheme, ports = self.scheme, self.ports
        places = list(localities or [locality.key for locality in scheme.localities])
        kinds = {*scheme.admission.documents, *(kind for lot in scheme.lots for kind in lot.documents)}
        skills = {skill for lot in scheme.lots for skill in lot.skills}
        with self.database.transaction() as session:
            made = register_provider(
                session,
                ports,
                name=name,
                company_number=None,
                actor=self.officer,
                skills=sorted(skills),
                accepted_flags=["smoker", "pets"],
            )
            assert made.id is not None
            add_location(
                session,
                ports,
                provider_id=made.id,
                regulator_id=f"1-{made.id:09d}",
                name=name,
                place=self.sector(places[0]),
                lad=lad or scheme.authorities[0].lads[0],
                rating=rating,
                registered_on=date(2010, 1, 4),
                actor=self.officer,
            )
            for kind in sorted(kinds):
                receive(
                    session,
                    ports,
                    provider_id=made.id,
                    kind=kind,
                    sha256="0" * 64,
                    expires_on=self.now.date() + timedelta(days=365),
                    actor=self.officer,
                )
            admit(
                session,
                ports,
                provider_id=made.id,
                scheme=scheme,
                lists=list(lists or scheme.ladder(scheme.lots[0].key, Urgency.STANDARD).stages[0].lists),
                lots=[lot.key for lot in scheme.lots],
                localities=places,
                actor=self.officer,
            )
            for authority in scheme.authorities:
                declare(
                    session,
                    ports,
                    provider_id=made.id,
                    authority=authority.key,
                    minutes=hours * 60,
                    expires_at=self.now + timedelta(days=60),
                    actor=Actor(ref="provider-user", role=Role.PROVIDER, provider=made.ref),
                )
            return Actor(ref=f"user-{made.ref}", role=Role.PROVIDER, provider=made.ref)

    def row_of(self, provider: Actor) -> Provider:
        """The register's row of the provider that this actor acts for."""
        (row,) = self.rows(Provider, Provider.ref == provider.provider)
        return row

    def limit(self, provider: Actor, *parts: LimitPart) -> None:
        """Let the provider say how much it takes at most."""
        self.run(
            set_take_limit,
            provider_id=self.row_of(provider).id or 0,
            scheme=self.scheme,
            parts=parts,
            actor=provider,
        )

    def sector(self, locality: str) -> str:
        """Some postcode sector of a locality."""
        place = self.scheme.locality(locality)
        return place.sectors[0] if place.sectors else f"{place.districts[0]} 1"

    # Packages

    def referral(
        self,
        *,
        locality: str | None = None,
        urgency: Urgency = Urgency.STANDARD,
        visits: str = MORNING_VISITS,
        lot: str | None = None,
        publish_it: bool = True,
        identity: Identity | None = None,
        confidential: Confidential | None = None,
        free_text: FreeText | None = None,
        by: Actor | None = None,
        **facts: Any,
    ) -> str:
        """A complete package for a new synthetic person, published unless told otherwise; returns the referral.

        The words of `free_text` are held back: nobody has confirmed them. A broker writes it, or a requester (`by`).
        """
        writer = by or self.broker
        home = locality or self.scheme.localities[0].key
        today = self.now.date()
        chosen = self.scheme.lot(lot) if lot else self.scheme.lots[0]
        born = date(1940, 5, 6)
        self._people += 1
        with self.database.transaction() as session:
            person = register_person(
                session,
                self.ports.keyring,
                self.ports.entropy,
                authority=self.authority,
                identity=identity
                or Identity(
                    name=f"Synthetic Person {self._people}",
                    address="1 Example Street",
                    postcode=f"{self.sector(home)}AA",
                    date_of_birth=born,
                    phone="01632 960001",
                ),
                actor=writer,
                now=self.now,
            )
            wanted = PackageFacts(
                **{
                    "scheme": self.scheme.key,
                    "lot": chosen.key,
                    "urgency": urgency,
                    "locality": home,
                    "sector": self.sector(home),
                    "funding": fundings_of(chosen)[0],
                    "schedule": parse_schedule(visits),
                    "needs": frozenset(),
                    "flags": frozenset(),
                    "age_band": age_band(born, today),
                    "earliest_start": today + timedelta(days=3),
                    "latest_start": today + timedelta(days=10),
                    "budget_pence": 60_000 if chosen.sets_budget else None,
                    "budget_weeks": chosen.budget_weeks if chosen.sets_budget else None,
                    **facts,
                }
            )
            package = create_package(
                session,
                self.ports.keyring,
                self.ports.entropy,
                person,
                facts=wanted,
                confidential=confidential
                or Confidential(postcode=f"{self.sector(home)}AA", address="1 Example Street"),
                free_text=free_text
                or FreeText(pen_picture="Needs help to wash and dress.", outcomes=("Washes alone.",)),
                scheme=self.scheme,
                actor=writer,
                now=self.now,
            )
            if free_text is None:
                confirm_free_text(session, package, actor=self.broker, now=self.now)
            referral = open_referral(session, self.ports, package=package, actor=writer)
            ref = referral.ref
        if publish_it:
            self.publish(ref)
        return ref

    def publish(self, referral: str) -> None:
        with self.database.transaction() as session:
            make_ready(session, self.ports, referral_ref=referral, scheme=self.scheme, actor=self.broker)
        with self.database.transaction() as session:
            publish(session, self.ports, referral_ref=referral, scheme=self.scheme, actor=self.broker)

    # The competition

    def round(self, referral: str) -> Round:
        """The referral's latest round."""
        with self.database.reading() as session:
            row = session.exec(select(Referral).where(Referral.ref == referral)).one()
            found = current_round(session, row.id)
            assert found is not None
            return found

    def state(self, referral: str) -> str:
        with self.database.reading() as session:
            return str(session.exec(select(Referral.state).where(Referral.ref == referral)).one())

    def invited(self, referral: str) -> set[str]:
        """References of the providers invited to the referral's latest round."""
        with self.database.reading() as session:
            return {invitation.provider for invitation in invitations_of(session, self.round(referral).id)}

    def content(self, referral: str, pence: int, **more: Any) -> BidContent:
        """A bid at this hourly rate, from the first day that can still be offered."""
        round_ = self.round(referral)
        start, _ = days_offered(round_.published_part, round_.closes_at or self.now)
        answers = tuple((question.key, max(question.answers, key=lambda key: question.answers[key]))
                        for question in self.scheme.evaluation.questions)  # fmt: skip
        return BidContent(
            **{
                "card": RateCard.of(PriceBasis.PER_HOUR, {Band.WEEKDAY: pence}),
                "starts_on": start,
                "answers": tuple(sorted(answers)),
                **more,
            }
        )

    def bid(self, provider: Actor, *referrals: str, pence: int, key: str | None = None, **more: Any) -> dict[str, Any]:
        """Hand in a sealed bid; returns the receipt."""
        rounds = [self.round(referral).ref for referral in referrals]
        content = self.content(referrals[0], pence, **more)
        return self.send(provider, rounds, content, key=key)

    def accept_in_window(self, provider: Actor, referral: str) -> dict[str, Any]:
        """Accept at the published rate."""
        round_ = self.round(referral)
        content = self.content(referral, 0, card=offer_card(self.scheme, round_.lot), answers=())
        return self.send(provider, [round_.ref], content)

    def send(
        self, provider: Actor, rounds: Sequence[str], content: BidContent, *, key: str | None = None
    ) -> dict[str, Any]:
        return submit_in(
            self.database,
            self.ports,
            rounds=rounds,
            content=content,
            actor=provider,
            idempotency_key=key or self.ports.entropy.token(8).hex(),
        )

    # After the closing

    def run(self, command: Callable[..., Answer], **request: Any) -> Answer:
        """One command in a transaction of its own."""
        with self.database.transaction() as session:
            return command(session, self.ports, **request)

    def closes_at(self, referral: str) -> datetime:
        """When the referral's latest round closes; it must be one that does."""
        closes_at = self.round(referral).closes_at
        assert closes_at is not None
        return closes_at

    def close(self, referral: str) -> Swept:
        """Move to the instant at which the referral's round closes, and sweep."""
        return self.move_to(self.closes_at(referral))

    def awards(self, referral: str) -> list[Award]:
        """Every award of the referral, the first one first."""
        with self.database.reading() as session:
            row = session.exec(select(Referral).where(Referral.ref == referral)).one()
            return list(session.exec(select(Award).where(Award.referral_id == row.id).order_by(col(Award.id))).all())

    def award(self, referral: str) -> Award:
        """The referral's latest award."""
        return self.awards(referral)[-1]

    def accept_and_confirm(self, award: Award, provider: Actor) -> str:
        """Take an offered award and, the person's file read, confirm it; returns the contract."""
        self.run(moving.accept, award_ref=award.ref, actor=provider)
        return self.run(moving.confirm, award_ref=award.ref, actor=provider)

    def in_care(self, *, since: timedelta) -> tuple[str, Actor]:
        """A contract whose first visit was so long ago, and who serves it."""
        winner, referral = self.provider("Ash Homecare"), self.referral()
        self.bid(winner, referral, pence=1600)
        self.close(referral)
        contract = self.accept_and_confirm(self.award(referral), winner)
        self.run(aftercare.start_contract, contract_ref=contract, first_visit_on=self.now.date(), actor=winner)
        self.clock.move_to(self.now + since)
        return contract, winner

    def said(self, referral: str) -> list[tuple[str, str | None]]:
        """Step and words of every remark about the referral, the first one first."""
        with self.database.reading() as session:
            return [(one.step, one.words) for one in remarks(session, self.ports.keyring, referral)]

    def events(self, kind: str) -> list[AuditEvent]:
        """The trail's events of this kind, the first one first."""
        return self.rows(AuditEvent, AuditEvent.kind == kind)

    def faults(self) -> list[str]:
        """What the proof finds wrong in the trail and the bids; nothing, if nobody touched them."""
        with self.database.reading() as session:
            trail, bids = verify(session, self.ports.keyring.public_keys)
            return [*trail.faults, *bids.faults]

    def rows(self, table: type[Row], *rules: Any) -> list[Row]:
        """The rows of a table that keep these rules, in order of id."""
        key = table.__table__.c.id  # type: ignore[attr-defined]
        with self.database.reading() as session:
            return list(session.exec(select(table).where(*rules).order_by(key)).all())

    @property
    def rule_hash(self) -> str:
        return rule_hash(self.scheme)


_SOLVER: list[SolverProcess] = []


def _solver() -> SolverProcess:
    """One warm solver process for all the tests of a test process."""
    if not _SOLVER:
        _SOLVER.append(SolverProcess())
    return _SOLVER[0]
