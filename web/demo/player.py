"""Plays councils through their working week: referrals arrive, providers answer, the clock closes what is due.

A discrete-event simulation on the stepped clock, of one council or of several twins in one installation.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

import sqlalchemy as sa
from sqlmodel import Session, col, select

from bidding.awards.records import Award, AwardState
from bidding.publishing import make_ready, publish
from bidding.rounds import Invitation, InvitationState, Round, RoundState
from dps.contracts.contracts import Contract
from dps.kernel.actors import Actor, Role
from dps.kernel.audit import AuditEvent
from dps.schemes.model import Scheme
from web.demo.arriving import written_down
from web.demo.bidders import Bidders, Tally
from web.demo.browsing import OpenList
from web.demo.market import Market, SyntheticNeed
from web.demo.week import Week
from web.demo.winners import Winners

_SETTLING = timedelta(days=9)

# Asked after whatever anybody does: only numbers, by statements that are built once.
_NEW_ROUNDS = sa.select(col(Round.id)).where(col(Round.id) > sa.bindparam("last")).order_by(col(Round.id))
_NEW_CONTRACTS = sa.select(col(Contract.id)).where(col(Contract.id) > sa.bindparam("last")).order_by(col(Contract.id))
_AWARD_NEWS = (
    sa.select(col(AuditEvent.id), col(AuditEvent.stream))
    .where(col(AuditEvent.id) > sa.bindparam("last"), col(AuditEvent.kind).startswith("award."))
    .order_by(col(AuditEvent.id))
)
_LIVE_AWARDS = (
    sa.select(col(Award.id), col(Award.state))
    .where(
        col(Award.ref).in_(sa.bindparam("refs", expanding=True)),
        col(Award.state).in_([AwardState.PROPOSED, AwardState.OFFERED, AwardState.ACCEPTED]),
        col(Award.ended_at).is_(None),
    )
    .order_by(col(Award.id))
)

Row = TypeVar("Row", Round, Award, Contract)


def _rows(session: Session, row: type[Row], ids: Iterable[int | None]) -> list[Row]:
    return [session.get_one(row, id_) for id_ in ids]


class Player:
    """The councils' week. Each of `markets` is one scheme's; `refs` name each market's providers, in its order."""

    def __init__(self, week: Week, markets: Sequence[Market], refs: Sequence[Sequence[str]]) -> None:
        self.week, self.markets = week, markets
        self.tally = Tally()
        schemes = {market.scheme.key: market.scheme for market in markets}
        self.brokers = _people("broker", Role.BROKER, schemes)
        providers = {
            ref: one
            for market, its in zip(markets, refs, strict=True)
            for ref, one in zip(its, market.providers, strict=True)
        }
        self._bidders = Bidders(week, schemes, providers, self.tally)
        self._winners = Winners(week, self.brokers, _people("approver", Role.APPROVER, schemes))
        self._open_list = OpenList(week, self._bidders, self.brokers, _near(markets, refs))
        self._last_round = 0
        self._last_contract = 0
        self._last_award_event: int | None = 0
        self._handled: dict[int | None, AwardState] = {}

    def play(self, progress: Callable[[datetime, int, int], None]) -> None:
        """Play from the first referral until everything has settled."""
        for market in self.markets:
            for need in market.needs:
                self.week.at(need.arrives_at, lambda one=market.scheme, need=need: self._arrive(one, need))  # type: ignore[misc]
        demo = self.markets[0].scheme.demo
        assert demo is not None
        for day in range(_SETTLING.days):
            self.week.at(demo.starts_at + timedelta(days=day, hours=12), self._open_list.browse)
        self.week.play(demo.starts_at + _SETTLING, self._observe, progress)
        self.week.timetable.sign_checkpoint()

    def _arrive(self, scheme: Scheme, need: SyntheticNeed) -> None:
        """A referral is written down, checked and published."""
        broker = self.brokers[need.authority]
        self.week.changed = True
        with self.week.database.transaction() as session:
            referral = written_down(session, self.week.ports, scheme, need, broker)
            make_ready(session, self.week.ports, referral_ref=referral.ref, scheme=scheme, actor=broker)
            publish(session, self.week.ports, referral_ref=referral.ref, scheme=scheme, actor=broker)

    def _observe(self) -> None:
        """Look at what is new, and let those whom it concerns react."""
        with self.week.database.reading() as session:
            asked = session.connection()
            rounds = _rows(session, Round, asked.execute(_NEW_ROUNDS, {"last": self._last_round}).scalars())
            awards = _rows(session, Award, self._moved_awards(asked))
            contracts = _rows(session, Contract, asked.execute(_NEW_CONTRACTS, {"last": self._last_contract}).scalars())
            invited = {
                round_.id: session.exec(
                    select(Invitation)
                    .where(Invitation.round_id == round_.id, Invitation.state == InvitationState.INVITED)
                    .order_by(col(Invitation.position))
                ).all()
                for round_ in rounds
                if round_.state is RoundState.PUBLISHED
            }
        for round_ in rounds:
            self._last_round = round_.id or 0
            if round_.state is RoundState.PUBLISHED and round_.closes_at is not None:
                self._bidders.react(round_, invited[round_.id])
        for award in awards:
            self._handled[award.id] = award.state
            self._winners.handle(award)
        for contract in contracts:
            self._last_contract = contract.id or 0
            self._winners.expect(contract)

    def _moved_awards(self, asked: sa.Connection) -> list[int]:
        """Live awards that stand where nobody has reacted to yet, found by their events since the last look."""
        news = asked.execute(_AWARD_NEWS, {"last": self._last_award_event}).all()
        if not news:
            return []
        self._last_award_event = news[-1][0]
        live = asked.execute(_LIVE_AWARDS, {"refs": sorted({stream for _, stream in news})})
        return [id_ for id_, state in live if id_ is not None and self._handled.get(id_) is not state]


def _people(part: str, role: Role, schemes: Mapping[str, Scheme]) -> dict[str, Actor]:
    """One person of this part at each authority."""
    return {
        authority.key: Actor(ref=f"demo-{part}-{authority.key}", role=role, authority=authority.key)
        for scheme in schemes.values()
        for authority in scheme.authorities
    }


def _near(markets: Sequence[Market], refs: Sequence[Sequence[str]]) -> Mapping[tuple[str, str], Sequence[str]]:
    """Who works in each locality of each scheme, in the order of admission."""
    found: dict[tuple[str, str], list[str]] = defaultdict(list)
    for market, its in zip(markets, refs, strict=True):
        for ref, one in zip(its, market.providers, strict=True):
            for locality in one.localities if one.places else ():
                found[market.scheme.key, locality].append(ref)
    return found
