"""What waits for a council's decision among its contracts, and one contract's whole story, for its two sides."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sqlmodel import Session, case, col, func, select

from dps.contracts.contracts import IN_FORCE, Contract, ContractState
from dps.contracts.deliveries.records import Delivery, deliveries_of, last_recorded
from dps.contracts.outcomes import OutcomeReview
from dps.contracts.standing import find_contract
from dps.contracts.statements.records import Statement, StatementState
from dps.contracts.variations.limits import review_due_on
from dps.contracts.variations.records import Uplift, Variation, VariationKind, VariationState, Weeks, history
from dps.contracts.variations.uplifting import Prices
from dps.kernel.actors import Actor, Role
from dps.packages.packages import Package
from dps.packages.schedule import Schedule
from dps.register.holds import block_behind
from dps.register.providers import Provider
from dps.schemes.contracting import Review

PAGE = 100
EXCEPTIONS_OF = timedelta(days=28)
"""How far back a contract's page looks for visits that were not as planned."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A variation that waits for the council. `is_for_approver`: a flex above the limit takes a signature."""

    variation: Variation
    contract: Contract
    provider: str
    is_for_approver: bool


def waiting_variations(session: Session, *, actor: Actor) -> list[Waiting]:
    """Those of the actor's own authority, the earliest to begin first."""
    actor.needs("decide on changes", Role.BROKER, Role.APPROVER)
    query = (
        select(Variation, Contract, Provider.name)
        .join(Contract, col(Contract.id) == col(Variation.contract_id))
        .join(Provider, col(Provider.ref) == col(Contract.provider))
        .where(Contract.authority == actor.authority, col(Variation.state) == VariationState.PROPOSED)
        .order_by(col(Variation.from_day), col(Variation.id))
    )
    return [
        Waiting(variation, contract, name, variation.kind is VariationKind.FLEX)
        for variation, contract, name in session.exec(query)
    ]


def changes_waiting(session: Session, *, actor: Actor) -> int:
    """How many changes wait for a yes or no of the actor's own authority."""
    actor.needs("decide on changes", Role.BROKER, Role.APPROVER)
    query = (
        select(func.count())
        .select_from(Variation)
        .join(Contract, col(Contract.id) == col(Variation.contract_id))
        .where(col(Variation.state) == VariationState.PROPOSED, Contract.authority == actor.authority)
    )
    return session.exec(query).one()


REVIEWS_SHOWN_AHEAD = timedelta(days=7)
"""So long before the day by which a package is reviewed it is listed."""


def reviews_due(
    session: Session, rules: Mapping[str, Review], *, actor: Actor, today: date
) -> list[tuple[Contract, str, date]]:
    """(contract, provider's name, reviewed by which day) of packages to review, the first due first, a hundred at most.

    `rules` are those of the schemes that have any. Due is what runs and was never reviewed: a review of its outcomes,
    the council's with its provider, is one.
    """
    actor.needs("review packages", Role.BROKER, Role.APPROVER)
    found: list[tuple[Contract, str, date]] = []
    for scheme, rule in sorted(rules.items()):
        latest = today + REVIEWS_SHOWN_AHEAD - timedelta(weeks=rule.due_weeks)
        query = (
            select(Contract, Provider.name)
            .join(Provider, col(Provider.ref) == col(Contract.provider))
            .where(
                Contract.authority == actor.authority,
                Contract.scheme == scheme,
                Contract.state == ContractState.ACTIVE,
                col(Contract.started_on) <= latest,
                col(Contract.id).not_in(select(OutcomeReview.contract_id)),
            )
            .order_by(col(Contract.started_on), col(Contract.id))
            .limit(PAGE)
        )
        found += [
            (contract, name, review_due_on(rule, started_on=contract.started_on))
            for contract, name in session.exec(query)
            if contract.started_on is not None
        ]
    return sorted(found, key=lambda one: (one[2], one[0].id or 0))[:PAGE]


def waiting_statements(session: Session, *, actor: Actor) -> list[tuple[Statement, str]]:
    """(statement, provider's name) of what is queried, or agreed and not paid yet, the earliest first."""
    actor.needs("look at statements", Role.BROKER, Role.APPROVER)
    query = (
        select(Statement, Provider.name)
        .join(Provider, col(Provider.ref) == col(Statement.provider))
        .where(
            Statement.authority == actor.authority,
            col(Statement.state).in_((StatementState.QUERIED, StatementState.AGREED)),
        )
        .order_by(col(Statement.first_day), col(Statement.id))
    )
    return list(session.exec(query).all())


def area_statements(session: Session, *, actor: Actor, page: int = 1) -> list[tuple[Statement, str]]:
    """(statement, provider's name) of what is paid by area, the latest first, a hundred a page."""
    actor.needs("look at statements", Role.BROKER, Role.APPROVER)
    query = (
        select(Statement, Provider.name)
        .join(Provider, col(Provider.ref) == col(Statement.provider))
        .where(
            Statement.authority == actor.authority,
            col(Statement.contract_id).is_(None),
            col(Statement.block).is_(None),
        )
        .order_by(col(Statement.first_day).desc(), col(Statement.id).desc())
        .offset((max(page, 1) - 1) * PAGE)
        .limit(PAGE)
    )
    return list(session.exec(query).all())


def block_statements(session: Session, block_ref: str, *, actor: Actor) -> Sequence[Statement]:
    """What was stated for one block of hours of the actor's own authority, the latest first."""
    actor.needs("look at statements", Role.BROKER, Role.APPROVER, Role.COMMISSIONER)
    query = (
        select(Statement)
        .where(Statement.authority == actor.authority, Statement.block == block_ref)
        .order_by(col(Statement.first_day).desc(), col(Statement.id).desc())
    )
    return session.exec(query).all()


def statements_to_answer(session: Session, *, actor: Actor) -> int:
    """How many statements wait for the actor's provider to agree to them or to query them."""
    actor.needs("answer statements", Role.PROVIDER)
    query = select(func.count()).select_from(Statement)
    return session.exec(query.where(Statement.provider == actor.provider, Statement.state == StatementState.MADE)).one()


def about_statement(session: Session, statement: Statement) -> tuple[str | None, str]:
    """The contract that a statement is of, None where it is of a block or an area, and its provider's name."""
    contract = session.get(Contract, statement.contract_id) if statement.contract_id else None
    name = session.exec(select(Provider.name).where(Provider.ref == statement.provider)).one()
    return contract.ref if contract else None, name


def who_pays(session: Session, contract_ref: str) -> str:
    """Whose money pays for the package that a contract serves, as it was written down with it."""
    query = (
        select(Package.funding)
        .join(Contract, col(Contract.package_id) == col(Package.id))
        .where(Contract.ref == contract_ref)
    )
    return session.exec(query).one()


def own_statements(session: Session, *, actor: Actor, page: int = 1) -> list[tuple[Statement, str | None]]:
    """A provider's statements, each with its contract where it is of one.

    Those that wait for an answer come first, then the latest; a hundred a page.
    """
    actor.needs("read its statements", Role.PROVIDER)
    waits = case((col(Statement.state) == StatementState.MADE, 0), else_=1)
    query = (
        select(Statement, Contract.ref)
        .join(Contract, col(Contract.id) == col(Statement.contract_id), isouter=True)
        .where(Statement.provider == actor.provider)
        .order_by(waits, col(Statement.first_day).desc(), col(Statement.id).desc())
        .offset((max(page, 1) - 1) * PAGE)
        .limit(PAGE)
    )
    return list(session.exec(query).all())


def contracts_listed(
    session: Session, *, actor: Actor, page: int = 1, are_over: bool = False
) -> list[tuple[Contract, str]]:
    """(contract, provider's name) of those in force or those that are over: the last agreed first, a hundred a page."""
    actor.needs("look at contracts", Role.BROKER, Role.APPROVER)
    query = (
        select(Contract, Provider.name)
        .join(Provider, col(Provider.ref) == col(Contract.provider))
        .where(
            Contract.authority == actor.authority,
            col(Contract.state).not_in(IN_FORCE) if are_over else col(Contract.state).in_(IN_FORCE),
        )
        .order_by(col(Contract.id).desc())
        .offset((max(page, 1) - 1) * PAGE)
        .limit(PAGE)
    )
    return list(session.exec(query).all())


@dataclass(frozen=True, slots=True)
class Story:
    """One contract: what holds today, every change, every statement, and the visits that were not as planned.

    `pence_of_weeks` is what the week of each change comes to at the prices of its first day, by the change's reference,
    `recorded_until` the last day of which a visit is recorded, `paused_from` the first without visits of a pause
    that is not over. `block` names the block of paid hours that it is served from, if it is.
    """

    contract: Contract
    provider: str
    weekly_minutes: int
    weekly_pence: int
    schedule: Schedule | None
    variations: Sequence[Variation]
    pence_of_weeks: Mapping[str, int]
    statements: Sequence[Statement]
    visits: int
    exceptions: tuple[Delivery, ...]
    uplifts: Sequence[Uplift]
    recorded_until: date | None
    paused_from: date | None
    block: str | None


def story_of(session: Session, contract_ref: str, *, actor: Actor, today: date) -> Story:
    """NotFound for another authority or provider."""
    actor.needs("look at contracts", Role.BROKER, Role.APPROVER, Role.PROVIDER)
    contract = find_contract(session, contract_ref, actor=actor)
    weeks, prices = Weeks(session, contract), Prices(session, contract)
    visits = deliveries_of(session, contract, first=today - EXCEPTIONS_OF, last=today)
    statements = select(Statement).where(Statement.contract_id == contract.id)
    day = max(today, contract.starts_on)
    variations = history(session, contract_ref, actor=actor)
    return Story(
        contract=contract,
        provider=session.exec(select(Provider.name).where(Provider.ref == contract.provider)).one(),
        weekly_minutes=weeks.minutes_on(day),
        weekly_pence=prices.week_on(day, weeks.pence_on(day), weeks.on(day)),
        schedule=weeks.on(day),
        variations=variations,
        pence_of_weeks={
            one.ref: prices.week_on(one.from_day, one.weekly_pence, Schedule.from_dict(one.schedule))
            for one in variations
            if one.weekly_pence is not None
        },
        statements=session.exec(statements.order_by(col(Statement.first_day), col(Statement.id))).all(),
        visits=len(visits),
        exceptions=tuple(one for one in visits if is_exception(one)),
        uplifts=prices.uplifts,
        recorded_until=last_recorded(session, contract),
        paused_from=contract.suspended_on,
        block=block_behind(session, contract.award_ref),
    )


def is_exception(visit: Delivery) -> bool:
    """Not as planned: it did not happen, nobody had planned it, or the call monitoring found something odd."""
    return visit.outcome != "done" or visit.line is None or bool(visit.oddities)
