"""Mass run-off: what a suspended provider runs is taken from it, contract by contract, and brokered again.

The suspension says what becomes of running contracts; a person of the council carries that out here for its own, with
the last day. The caseload is listed in one transaction and moved in one for each contract, found as rows: a death on
the way leaves the rest to the next sweep. Who could take the caseload over is advice, solved jointly, never awarded:
the packages go up their ladders, and where a scheme decides jointly those that close together are solved together.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, Session, SQLModel, col, select

from bidding.aftercare import move_away
from bidding.allocation.instance import joint_policy
from bidding.allocation.room import localities_of, providers_of, standing_of
from bidding.asking import need_of
from bidding.awards.records import Award
from bidding.in_play import usage
from bidding.referrals import PRIORITY, Referral
from bidding.standing import candidates
from dps.contracts.contracts import IN_FORCE, Contract
from dps.contracts.standing import incumbents
from dps.contracts.variations.allowed import run_off_rule
from dps.kernel import audit, outbox
from dps.kernel.actors import CLOCK, Actor, Role
from dps.kernel.calendar import LONDON
from dps.kernel.columns import day_column, id_column, link_column, ref_column, utc_column, whole_column
from dps.kernel.database import locked_one
from dps.kernel.errors import BadInput, Conflict, NotFound, RuleNotMet
from dps.kernel.ports import Ports
from dps.kernel.references import Kind, new_reference
from dps.packages.packages import Package
from dps.register.interests import refuse_tied
from dps.register.providers import locked_provider
from dps.register.suspensions import RunningContracts, Suspension, SuspensionState
from dps.schemes.model import Scheme
from dps.schemes.published import standing_scheme
from dps.schemes.stored import rules_by_hash
from matching import allocation as solver
from matching.eligibility import assess_all


class RunOff(SQLModel, table=True):
    """One council's decision about what a suspension leaves running; `cases` were listed with it."""

    __tablename__ = "run_off"
    __table_args__ = (UniqueConstraint("suspension_id", "authority"),)

    id: int | None = id_column()
    ref: str = ref_column()
    suspension_id: int = link_column("suspension.id", index=False)
    provider: str = Field(max_length=24)
    authority: str = Field(max_length=40)
    scheme: str = Field(max_length=40)
    last_day: date = day_column()
    cases: int = whole_column()
    decided_at: datetime = utc_column()
    decided_by: str = Field(max_length=64)

    @property
    def stream(self) -> str:
        return self.ref


class RunOffCase(SQLModel, table=True):
    """One contract of the caseload; `moved_at` None: it waits for its turn."""

    __tablename__ = "run_off_case"
    __table_args__ = (UniqueConstraint("run_off_id", "contract_id"),)

    id: int | None = id_column()
    run_off_id: int = link_column("run_off.id", index=False)
    contract_id: int = link_column("contract.id")
    moved_at: datetime | None = utc_column(nullable=True, index=True)


def run_off(
    session: Session, ports: Ports, *, suspension_ref: str, actor: Actor, last_day: date | None = None
) -> RunOff:
    """Decide to carry out what a suspension in force says of running contracts, for the actor's own authority.

    A transfer names its last day; an end at once is an approver's, and its last day is today. The contracts are moved
    by the sweeps that follow, or by `move_case`. RuleNotMet where the suspension lets them go on.
    """
    actor.needs("run a provider's contracts off", Role.BROKER, Role.APPROVER)
    suspension, scheme = _suspension(session, suspension_ref, actor)
    rule = run_off_rule(scheme)
    refuse_tied(session, actor, suspension.provider_ref, "run a provider's contracts off")
    locked_provider(session, suspension.provider_id)
    now = ports.clock.read(session)
    today = now.astimezone(LONDON).date()
    way = suspension.running_contracts
    if suspension.state is not SuspensionState.IMPOSED or not suspension.bites(now):
        raise RuleNotMet(reason="The suspension is not in force: its packages would be asked of the provider again.")
    if way.value not in rule.ways:
        raise BadInput(f"the scheme allows: {', '.join(rule.ways)}", field="suspension")
    if way is RunningContracts.CONTINUE:
        raise RuleNotMet(reason="This suspension lets running contracts go on: there is nothing to move.")
    if way is RunningContracts.END_NOW:
        actor.needs("end a provider's contracts at once", Role.APPROVER)
        last_day = today
    if last_day is None or not today <= last_day <= today + timedelta(days=rule.transfer_days):
        latest = today + timedelta(days=rule.transfer_days)
        raise BadInput(f"name a day from {today:%-d %B %Y} to {latest:%-d %B %Y}", field="last_day")
    assert actor.authority is not None
    if _decided(session, suspension, actor.authority) is not None:
        raise Conflict(suspension=suspension.ref)
    contracts = caseload(session, suspension, authority=actor.authority)
    made = RunOff(
        ref=new_reference(Kind.RUN_OFF, ports.entropy),
        suspension_id=suspension.id or 0,
        provider=suspension.provider_ref,
        authority=actor.authority,
        scheme=scheme.key,
        last_day=last_day,
        cases=len(contracts),
        decided_at=now,
        decided_by=actor.ref,
    )
    session.add(made)
    session.flush()
    session.add_all(RunOffCase(run_off_id=made.id or 0, contract_id=contract.id or 0) for contract in contracts)
    session.flush()
    facts = {
        "suspension": suspension.ref,
        "provider": made.provider,
        "way": way.value,
        "last_day": last_day.isoformat(),
        "contracts": [contract.ref for contract in contracts],
    }
    audit.append(session, made.stream, "run_off.decided", actor, now, facts)
    recipient = f"provider:{made.provider}"
    outbox.post(session, ports.entropy, recipient=recipient, kind="run_off_decided", about=made.ref, now=now)
    return made


def move_case(session: Session, ports: Ports, case_id: int) -> bool:
    """Take one contract of a caseload from its provider and broker its package again; False where it was done."""
    known = session.get_one(RunOffCase, case_id)
    decided = session.get_one(RunOff, known.run_off_id)
    contract = session.get_one(Contract, known.contract_id)
    # The referral first, as everywhere: two sweeps wait for each other there, and then look at the case again.
    referral_id = session.exec(select(Award.referral_id).where(Award.ref == contract.award_ref)).one()
    locked_one(session, Referral, referral_id)
    case = locked_one(session, RunOffCase, case_id)
    if case.moved_at is not None:
        return False
    session.refresh(contract)
    now = ports.clock.read(session)
    if contract.state in IN_FORCE:
        last_day = max(decided.last_day, now.astimezone(LONDON).date())
        desk = Actor(ref=CLOCK.ref, role=Role.BROKER, authority=decided.authority)
        move_away(session, ports, contract_ref=contract.ref, last_day=last_day, actor=desk)
    case.moved_at = now
    session.add(case)
    session.flush()
    audit.append(session, decided.stream, "run_off.moved", CLOCK, now, {"contract": contract.ref})
    return True


def caseload(session: Session, suspension: Suspension, *, authority: str) -> Sequence[Contract]:
    """The authority's contracts in force that the suspension covers, in the order in which they were agreed."""
    query = select(Contract).where(
        Contract.provider == suspension.provider_ref,
        Contract.scheme == suspension.scheme,
        Contract.authority == authority,
        col(Contract.state).in_(IN_FORCE),
    )
    rows = session.exec(query.order_by(col(Contract.id))).all()
    return [row for row in rows if suspension.covers(row.lot, row.locality)]


def due_cases(session: Session) -> list[int]:
    """Contracts that wait to be moved, in order."""
    query = select(RunOffCase.id).where(col(RunOffCase.moved_at).is_(None)).order_by(col(RunOffCase.id))
    return [id_ for id_ in session.exec(query) if id_ is not None]


# Advice

_NOBODY = "Nobody is eligible who has the hours free."


@dataclass(frozen=True, slots=True)
class Advice:
    """Who could take each contract over, if asked today; advice, and never an award.

    `takers` maps contract to provider, `left` contract to the words of why nobody does, `eligible` how many could.
    """

    takers: dict[str, str]
    left: dict[str, str]
    eligible: dict[str, int]
    notes: tuple[str, ...]


def advice(session: Session, ports: Ports, *, suspension_ref: str, actor: Actor) -> Advice:
    """Look whether the market has room for a caseload before it is moved: solved jointly, at the prices paid now.

    Everybody counts who is eligible at the widest stage of each package's ladder and has the hours free.
    """
    actor.needs("look who could take a caseload over", Role.BROKER, Role.APPROVER, Role.COMMISSIONER)
    suspension, scheme = _suspension(session, suspension_ref, actor)
    rule = run_off_rule(scheme)
    now = ports.clock.read(session)
    assert actor.authority is not None
    contracts = {one.ref: one for one in caseload(session, suspension, authority=actor.authority)}
    packages = {ref: session.get_one(Package, contract.package_id) for ref, contract in contracts.items()}
    able = {ref: _able(session, contracts[ref], packages[ref], now) for ref in contracts}
    takers = {provider for providers in able.values() for provider in providers}
    standing = standing_of(session, scheme, packages, takers, now)
    serving = incumbents(session, scheme=scheme.key)
    places = {contract.locality for contract in contracts.values()}
    terms = localities_of(scheme, places, sorted(takers), serving, standing)
    instance = solver.Instance(
        packages=tuple(
            solver.Package(
                ref=ref,
                locality=contract.locality,
                weekly_minutes=contract.weekly_minutes,
                priority=PRIORITY[packages[ref].urgency],
            )
            for ref, contract in contracts.items()
        ),
        providers=tuple(one for _, one in sorted(providers_of(packages, standing).items())) if takers else (),
        bids=tuple(
            solver.Bid(
                ref=f"{ref}/{provider}",
                provider=provider,
                packages=(ref,),
                weekly_pence=contract.weekly_pence,
                lot_key=f"{place}/{nth}",
            )
            for place, (ref, contract) in enumerate(contracts.items())
            for nth, provider in enumerate(able[ref])
        ),
        localities=tuple(_together(one, rule.keep_together_pence) for one in terms),
        policy=joint_policy(scheme),
    )
    seed = hashlib.sha256(suspension.ref.encode()).digest()
    result = solver.solve(instance, lot_seed=seed)
    return Advice(
        takers={award.package: award.provider for award in result.awards},
        left={one.package: one.words if able[one.package] else _NOBODY for one in result.unplaced},
        eligible={ref: len(providers) for ref, providers in able.items()},
        notes=result.notes,
    )


def _together(terms: solver.LocalityTerms, pence: int) -> solver.LocalityTerms:
    """A provider that is new to a locality costs the scheme's price of keeping a caseload together, at least."""
    return solver.LocalityTerms(
        provider=terms.provider,
        locality=terms.locality,
        capacity_minutes=terms.capacity_minutes,
        committed_minutes=terms.committed_minutes,
        entry_pence=max(terms.entry_pence, pence),
    )


def _able(session: Session, contract: Contract, package: Package, now: datetime) -> list[str]:
    """Who is eligible at the last stage of the package's ladder, the failing provider never."""
    award = session.exec(select(Award).where(Award.ref == contract.award_ref)).one()
    referral = session.get_one(Referral, award.referral_id)
    assert referral.rule_hash is not None
    scheme = rules_by_hash(session, referral.rule_hash)
    need = need_of(session, referral, package, scheme, len(referral.stages) - 1, now)
    everybody = candidates(
        session,
        scheme,
        authority=referral.authority,
        at=now,
        lots=[package.lot],
        localities=sorted(need.reach),
        in_play=usage(session, scheme.key),
    )
    found = assess_all([need], everybody).eligible_for(need.ref)
    return [provider for provider in found if provider != contract.provider]


def _suspension(session: Session, ref: str, actor: Actor) -> tuple[Suspension, Scheme]:
    """The suspension and its scheme, if the actor's authority buys under it."""
    found = session.exec(select(Suspension).where(Suspension.ref == ref)).first()
    scheme = standing_scheme(session, found.scheme) if found else None
    if found is None or scheme is None or actor.authority not in {body.key for body in scheme.authorities}:
        raise NotFound(kind="suspension", ref=ref)
    return found, scheme


def _decided(session: Session, suspension: Suspension, authority: str) -> RunOff | None:
    query = select(RunOff).where(RunOff.suspension_id == suspension.id, RunOff.authority == authority)
    return session.exec(query).first()
