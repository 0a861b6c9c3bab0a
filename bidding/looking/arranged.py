"""What was arranged for a referral: with whom, from when, which week; and where a requester's packages stand."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func
from sqlmodel import Session, col, select

from bidding.awards.records import LIVE, Award, AwardState
from bidding.referrals import Referral, ReferralState, referral_of
from bidding.rounds import Round, RoundState
from dps.contracts.contracts import IN_FORCE, Contract, ContractState
from dps.contracts.variations.records import Weeks
from dps.kernel.actors import Actor, Role
from dps.kernel.calendar import LONDON
from dps.kernel.errors import NotFound
from dps.kernel.ports import Ports
from dps.law.charging import is_free_of_charge
from dps.packages.facts import Confidential
from dps.packages.identity import Identity
from dps.packages.packages import Package, disclose_confidential, person_of
from dps.packages.persons import Purpose, disclose
from dps.packages.schedule import Schedule
from dps.register.providers import Provider


@dataclass(frozen=True, slots=True, repr=False)
class Arranged:
    """The contract that serves a person now, with the week that holds, and who they are: for a letter to them.

    `is_free`: the law lets nobody charge the person for it.
    """

    contract: str
    lot: str
    provider: str
    phone: str | None
    starts_on: date
    started_on: date | None
    schedule: Schedule | None
    is_free: bool
    identity: Identity
    home: Confidential

    def __repr__(self) -> str:
        return "Arranged(withheld)"


def contract_in_force(session: Session, referral_ref: str) -> str | None:
    """The contract that serves this referral's package now. The caller has made sure that its actor may see it."""
    query = (
        select(Contract.ref)
        .join(Referral, col(Referral.package_id) == col(Contract.package_id))
        .where(Referral.ref == referral_ref, col(Contract.state).in_(IN_FORCE))
    )
    return session.exec(query.order_by(col(Contract.id).desc())).first()


def arranged(session: Session, ports: Ports, *, referral_ref: str, actor: Actor) -> Arranged:
    """Everything that a letter to the person says; opening who they are is recorded. NotFound where nothing is."""
    actor.needs("write to a person", Role.BROKER, Role.APPROVER)
    referral = referral_of(session, referral_ref, actor)
    query = select(Contract, Provider).join(Provider, col(Provider.ref) == col(Contract.provider))
    query = query.where(Contract.package_id == referral.package_id, col(Contract.state).in_(IN_FORCE))
    found = session.exec(query.order_by(col(Contract.id).desc())).first()
    if found is None:
        raise NotFound(kind="contract", ref=referral_ref)
    contract, provider = found
    package = session.get(Package, referral.package_id)
    assert package is not None
    now = ports.clock.read(session)
    purpose = Purpose.ARRANGING_CARE
    return Arranged(
        contract=contract.ref,
        lot=contract.lot,
        provider=provider.name,
        phone=provider.phone,
        starts_on=contract.starts_on,
        started_on=contract.started_on,
        schedule=Weeks(session, contract).on(
            max(now.astimezone(LONDON).date(), contract.started_on or contract.starts_on)
        ),
        is_free=is_free_of_charge(package.funding),
        identity=disclose(session, ports.keyring, person_of(session, package), actor=actor, purpose=purpose, now=now),
        home=disclose_confidential(session, ports.keyring, package, actor=actor, purpose=purpose, now=now),
    )


@dataclass(frozen=True, slots=True)
class Request:
    """One referral as whoever asked for it follows it: no bid, no price, no provider before there is a contract."""

    referral: str
    lot: str
    locality: str
    urgency: str
    state: ReferralState
    is_with_requester: bool
    since: datetime | None
    stage_no: int | None
    closes_at: datetime | None
    is_closed: bool
    award_state: AwardState | None
    contract_state: ContractState | None
    provider: str | None
    starts_on: date | None
    started_on: date | None


def requests(session: Session, actor: Actor, *, ref: str | None = None) -> list[Request]:
    """The referrals that this requester has asked for, the latest first."""
    actor.needs("follow a request", Role.REQUESTER)
    last_round = select(func.max(Round.id)).where(Round.referral_id == Referral.id).correlate(Referral)
    last_contract = select(func.max(Contract.id)).where(Contract.package_id == Package.id).correlate(Package)
    is_live = col(Award.state).in_(LIVE) & col(Award.ended_at).is_(None)
    query = (
        select(  # type: ignore[call-overload]
            Referral,
            Package.lot,
            Package.locality,
            Round.stage_no,
            Round.closes_at,
            Round.state,
            col(Award.state).label("award_state"),
            Contract,
            Provider.name,
        )
        .join(Package, col(Package.id) == col(Referral.package_id))
        .outerjoin(Round, col(Round.id) == last_round.scalar_subquery())
        .outerjoin(Award, (col(Award.referral_id) == col(Referral.id)) & is_live)
        .outerjoin(Contract, col(Contract.id) == last_contract.scalar_subquery())
        .outerjoin(Provider, col(Provider.ref) == col(Contract.provider))
        .where(
            Referral.authority == actor.authority,
            (col(Referral.requested_by) == actor.ref) | (col(Referral.created_by) == actor.ref),
        )
        .order_by(col(Referral.id).desc())
    )
    if ref is not None:
        query = query.where(Referral.ref == ref)
    return [
        Request(
            referral=referral.ref,
            lot=lot,
            locality=locality,
            urgency=referral.urgency,
            state=referral.state,
            is_with_requester=referral.is_with_requester,
            since=referral.seeking_since or referral.published_at,
            stage_no=stage_no,
            closes_at=closes_at,
            is_closed=round_state is not RoundState.PUBLISHED,
            award_state=award_state,
            contract_state=contract.state if contract is not None else None,
            provider=name if contract is not None and contract.state in IN_FORCE else None,
            starts_on=contract.starts_on if contract is not None else None,
            started_on=contract.started_on if contract is not None else None,
        )
        for referral, lot, locality, stage_no, closes_at, round_state, award_state, contract, name in session.exec(
            query
        )
    ]
