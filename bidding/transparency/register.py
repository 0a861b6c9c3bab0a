"""The register of awards: every contract that came of a competition or an offer, and how much each lot was bid for.

Contracts for a whole area stand beside those for one package, and what was placed otherwise stands apart, with the two
people who did it: no competition gave it, and no open data tells it. For those who answer for the scheme. It names
packages by their awards alone, no person, and no price that did not win. What leaves the house `ocds` makes from it.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlmodel import Session, col, select

from bidding.awards.records import Award
from bidding.bids.records import Bid, BidRound, BidState, ScoredBid
from bidding.otherwise.records import Placement, PlacementState
from bidding.referrals import Referral
from bidding.rounds import Round, RoundState
from bidding.tenders.records import Tender
from dps.contracts.area_contracts import AreaContractRow, AreaContractState
from dps.contracts.contracts import Contract, ContractState
from dps.kernel.actors import Actor, Role
from dps.kernel.calendar import LONDON
from dps.kernel.errors import BadInput, NotFound
from dps.law.bases import basis_of
from dps.packages.packages import Package
from dps.register.providers import Provider
from dps.schemes.model import LegalBasis, Mode, Scheme
from dps.schemes.stored import rules_by_hash

READERS = (Role.AUDITOR, Role.COMMISSIONER, Role.ADMINISTRATOR)
_CLOSED = (RoundState.CLOSED, RoundState.DECIDED)
_OPENED = (BidState.OPENED, BidState.INVALID, BidState.AWARDED, BidState.UNSUCCESSFUL)


@dataclass(frozen=True, slots=True, order=True)
class Supplier:
    """A provider that holds a contract, as the public register of its regulator and Companies House know it."""

    ref: str
    name: str
    company_number: str | None


@dataclass(frozen=True, slots=True)
class Awarded:
    """One line of the register: a contract, how its provider was found, at which weekly price."""

    award: str
    contract: str
    state: ContractState
    authority: str
    supplier: Supplier
    lot: str
    locality: str
    source: str
    agreed_on: date
    starts_on: date
    weekly_minutes: int
    weekly_pence: int
    basis: LegalBasis


@dataclass(frozen=True, slots=True)
class AreaAwarded:
    """A contract for all of some lots in one locality: a year of the stated volume at what was bid, and who bid."""

    tender: str
    contract: str
    name: str
    state: AreaContractState
    authority: str
    supplier: Supplier
    lots: tuple[str, ...]
    locality: str
    agreed_on: date
    first_day: date
    last_day: date
    yearly_pence: int
    bids: int
    valid_bids: int


@dataclass(frozen=True, slots=True)
class PlacedOtherwise:
    """What nobody took and two people placed outside the competition; no supplier where the register holds none."""

    placement: str
    authority: str
    supplier: Supplier | None
    lot: str
    locality: str
    how: str
    approved_on: date
    weekly_pence: int
    proposed_by: str
    approved_by: str


@dataclass(frozen=True, slots=True)
class LotFigures:
    """How much one lot was competed for: sealed bids opened, valid ones, and who sent them. No price."""

    lot: str
    rounds: int
    bids: int
    valid_bids: int
    bidders: int


@dataclass(frozen=True, slots=True)
class Register:
    """The awards agreed from `first` to `last`, both included, and the figures of the rounds that closed then."""

    scheme: Scheme
    authorities: tuple[str, ...]
    first: date
    last: date
    awards: tuple[Awarded, ...]
    areas: tuple[AreaAwarded, ...]
    otherwise: tuple[PlacedOtherwise, ...]
    lots: tuple[LotFigures, ...]
    bidders: int


def register_of_awards(session: Session, *, scheme: Scheme, first: date, last: date, actor: Actor) -> Register:
    """The register of these days; who belongs to one of the scheme's authorities sees that one's."""
    actor.needs("read the register of awards", *READERS)
    if last < first:
        raise BadInput("the last day lies before the first", field="last_day")
    keys = tuple(authority.key for authority in scheme.authorities)
    if actor.authority is not None:
        if actor.authority not in keys:
            raise NotFound(kind="scheme", ref=scheme.key)
        keys = (actor.authority,)
    since, until = _midnight(first), _midnight(last + timedelta(days=1))
    lots, bidders = _figures(session, scheme, keys, since, until)
    awards, areas = _awards(session, scheme, keys, since, until), _areas(session, scheme, keys, since, until)
    otherwise = _otherwise(session, scheme, keys, since, until)
    return Register(scheme, keys, first, last, awards, areas, otherwise, lots, bidders)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(0), tzinfo=LONDON)


def _awards(
    session: Session, scheme: Scheme, keys: Sequence[str], since: datetime, until: datetime
) -> tuple[Awarded, ...]:
    query = (
        select(Contract, Award.source, Provider, Package)
        .join(Award, col(Award.ref) == col(Contract.award_ref))
        .join(Package, col(Package.id) == col(Contract.package_id))
        .join(Provider, col(Provider.ref) == col(Contract.provider))
        .where(
            Contract.scheme == scheme.key,
            col(Contract.authority).in_(keys),
            col(Contract.agreed_at) >= since,
            col(Contract.agreed_at) < until,
        )
        .order_by(col(Contract.id))
    )
    return tuple(
        Awarded(
            award=contract.award_ref,
            contract=contract.ref,
            state=contract.state,
            authority=contract.authority,
            supplier=Supplier(provider.ref, provider.name, provider.company_number),
            lot=contract.lot,
            locality=contract.locality,
            source=source,
            agreed_on=contract.agreed_at.astimezone(LONDON).date(),
            starts_on=contract.starts_on,
            weekly_minutes=contract.weekly_minutes,
            weekly_pence=contract.weekly_pence,
            basis=_basis(package, scheme, contract.agreed_at.astimezone(LONDON).date()),
        )
        for contract, source, provider, package in session.exec(query)
    )


def _areas(
    session: Session, scheme: Scheme, keys: Sequence[str], since: datetime, until: datetime
) -> tuple[AreaAwarded, ...]:
    query = (
        select(AreaContractRow, Tender, Provider)
        .join(Tender, col(Tender.ref) == col(AreaContractRow.tender))
        .join(Provider, col(Provider.ref) == col(AreaContractRow.provider))
        .where(
            AreaContractRow.scheme == scheme.key,
            col(AreaContractRow.authority).in_(keys),
            col(AreaContractRow.agreed_at) >= since,
            col(AreaContractRow.agreed_at) < until,
        )
        .order_by(col(AreaContractRow.id))
    )
    return tuple(
        AreaAwarded(
            tender=tender.ref,
            contract=row.ref,
            name=rules_by_hash(session, row.rule_hash).area_contract(row.key).name,
            state=row.state,
            authority=row.authority,
            supplier=Supplier(provider.ref, provider.name, provider.company_number),
            lots=tuple(row.lots),
            locality=row.locality,
            agreed_on=row.agreed_at.astimezone(LONDON).date(),
            first_day=row.from_day,
            last_day=row.last_day,
            yearly_pence=row.evaluated_pence,
            bids=len(tender.evaluation),
            valid_bids=sum(one.is_valid for one in tender.evaluation),
        )
        for row, tender, provider in session.exec(query).all()
    )


def _otherwise(
    session: Session, scheme: Scheme, keys: Sequence[str], since: datetime, until: datetime
) -> tuple[PlacedOtherwise, ...]:
    query = (
        select(Placement, Referral.authority, Package, Provider)
        .join(Referral, col(Referral.id) == col(Placement.referral_id))
        .join(Package, col(Package.id) == col(Referral.package_id))
        .outerjoin(Provider, col(Provider.ref) == col(Placement.provider))
        .where(
            Referral.scheme == scheme.key,
            col(Referral.authority).in_(keys),
            col(Placement.state) == PlacementState.APPROVED,
            col(Placement.decided_at) >= since,
            col(Placement.decided_at) < until,
        )
        .order_by(col(Placement.id))
    )
    return tuple(
        PlacedOtherwise(
            placement=placement.ref,
            authority=authority,
            supplier=Supplier(provider.ref, provider.name, provider.company_number) if provider else None,
            lot=package.lot,
            locality=package.locality,
            how=placement.how,
            approved_on=_day_of(placement.decided_at),
            weekly_pence=placement.weekly_pence,
            proposed_by=placement.proposed_by,
            approved_by=placement.decided_by or "",
        )
        for placement, authority, package, provider in session.exec(query)
    )


def _day_of(decided_at: datetime | None) -> date:
    assert decided_at is not None  # the table's CHECK: what is over was decided at an instant
    return decided_at.astimezone(LONDON).date()


def _basis(package: Package, scheme: Scheme, day: date) -> LegalBasis:
    """Under which regulations the package was bought; the scheme's where that was left open."""
    facts = package.facts
    return basis_of(facts.funding, facts.legal_basis, scheme.legal_basis, day) or scheme.legal_basis


def _figures(
    session: Session, scheme: Scheme, keys: Sequence[str], since: datetime, until: datetime
) -> tuple[tuple[LotFigures, ...], int]:
    """By lot, of the sealed rounds that closed in `[since, until)`; how many bids a closing has is told afterwards."""

    def within(query: Any) -> Any:
        return query.where(
            Round.scheme == scheme.key,
            Round.mode == Mode.SEALED_BID,
            col(Round.state).in_(_CLOSED),
            col(Referral.authority).in_(keys),
            col(Round.closes_at) >= since,
            col(Round.closes_at) < until,
        )

    referral = col(Referral.id) == col(Round.referral_id)
    rounds = Counter(
        lot for (_, lot) in session.exec(within(select(Round.id, Round.lot).join(Referral, referral))).all()
    )
    sent = session.exec(
        within(
            select(Round.lot, Bid.provider)
            .join(BidRound, col(BidRound.round_id) == col(Round.id))
            .join(Bid, col(Bid.id) == col(BidRound.bid_id))
            .join(Referral, referral)
            .where(col(Bid.state).in_(_OPENED))
        )
    ).all()
    valid = Counter(
        session.exec(
            within(
                select(Round.lot)
                .join(ScoredBid, col(ScoredBid.round_id) == col(Round.id))
                .join(Referral, referral)
                .where(col(ScoredBid.is_valid).is_(True))
            )
        ).all()
    )
    bids = Counter(lot for lot, _ in sent)
    bidders = {lot: {provider for of, provider in sent if of == lot} for lot in bids}
    lots = tuple(
        LotFigures(lot.key, rounds[lot.key], bids[lot.key], valid[lot.key], len(bidders.get(lot.key, ())))
        for lot in scheme.lots
    )
    return lots, len({provider for _, provider in sent})
