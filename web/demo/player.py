"""Plays councils through their working week: referrals arrive, providers answer, the clock closes what is due.

A discrete-event simulation on the stepped clock, of one council or of several twins in one installation.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlmodel import col, select

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

# Asked after whatever anybody does: what was said since, and only then for the rows that it is about.
_NEWS = (
    sa.select(col(AuditEvent.id), col(AuditEvent.kind), col(AuditEvent.stream))
    .where(col(AuditEvent.id) > sa.bindparam("last"))
    .order_by(col(AuditEvent.id))
)
_NEW_ROUNDS: Any = select(Round).where(col(Round.id) > sa.bindparam("last")).order_by(col(Round.id))
_NEW_CONTRACTS: Any = select(Contract).where(col(Contract.id) > sa.bindparam("last")).order_by(col(Contract.id))
_LIVE_AWARDS: Any = (
    select(Award)
    .where(
        col(Award.ref).in_(sa.bindparam("refs", expanding=True)),
        col(Award.state).in_([AwardState.PROPOSED, AwardState.OFFERED, AwardState.ACCEPTED]),
        col(Award.ended_at).is_(None),
    )
    .order_by(col(Award.id))
)


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
        self._last_event = 0
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
            news = session.connection().execute(_NEWS, {"last": self._last_event}).all()
            if not news:
                return
            self._last_event = news[-1].id
            said = {event.kind.partition(".")[0] for event in news}
            rounds = session.exec(_NEW_ROUNDS, params={"last": self._last_round}).all() if "round" in said else ()
            its = {"last": self._last_contract}
            contracts = session.exec(_NEW_CONTRACTS, params=its).all() if "contract" in said else ()
            refs = sorted({event.stream for event in news if event.kind.startswith("award.")})
            live = session.exec(_LIVE_AWARDS, params={"refs": refs}).all() if refs else ()
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
        # Of the awards that something was said of, those that stand where nobody has reacted to yet.
        for award in [one for one in live if self._handled.get(one.id) is not one.state]:
            self._handled[award.id] = award.state
            self._winners.handle(award)
        for contract in contracts:
            self._last_contract = contract.id or 0
            self._winners.expect(contract)


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
