"""The clocks of the law over the database: the list of what is due, the warnings of a sweep, and what is refused.

At its limit each clock bites on whoever let it pass, never on a person who waits. From the end of the term, the day by
which an open framework had to be reopened, and the day by which its lists had to be published, nothing is published
under a scheme. While a notice or an application is overdue, the commissioner publishes no new rules.
"""

from collections.abc import Iterator, Sequence
from datetime import date, datetime

from sqlalchemy import ColumnElement, and_, false, or_, true
from sqlmodel import Session, col, select

from dps.contracts.contracts import Contract, ContractState
from dps.kernel import outbox
from dps.kernel.actors import Actor, Role
from dps.kernel.calendar import LONDON
from dps.kernel.errors import BadInput, LimitPassed, NotFound, OutOfTerm, TermReplaced
from dps.kernel.ports import Ports
from dps.law import clocks
from dps.law.bases import JOINT, NHS, NHS_BASES, basis_of
from dps.law.clocks import Blocked, Due
from dps.law.notices import LegalWarning, is_told, tiers_told_on
from dps.packages.packages import Package
from dps.register.applications import awaiting_decision
from dps.register.providers import Provider
from dps.schemes.model import LegalBasis, Scheme
from dps.schemes.published import standing_rules, standing_scheme
from dps.schemes.stored import SchemeRules, publish_rules, rules_by_hash

READERS = (Role.COMMISSIONER, Role.AUDITOR, Role.ADMINISTRATOR, Role.REGISTER_OFFICER)


def due_of(session: Session, scheme: Scheme, rules_published_on: date) -> list[Due]:
    """Every clock of the scheme that runs, whether or not it warns yet, the most pressing first."""
    found = [
        *clocks.of_scheme(scheme, rules_published_on, tiers_told_on(session, scheme.key)),
        *_notices(session, scheme),
        *(
            clocks.application_answer(one.ref, one.decide_by.astimezone(LONDON).date())
            for one in awaiting_decision(session, scheme.key)
            if one.decide_by is not None
        ),
    ]
    return clocks.near(found, date.max)


def clocks_seen(session: Session, *, scheme: str, actor: Actor) -> list[Due]:
    """The clocks of one published scheme, for those who answer for it."""
    actor.needs("read the clocks of the law", *READERS)
    for row in standing_rules(session):
        rules = rules_by_hash(session, row.rule_hash)
        if row.key == scheme and actor.authority in (None, *(body.key for body in rules.authorities)):
            return due_of(session, rules, _day(row.published_at))
    raise NotFound(kind="published scheme", ref=scheme)


def warn(session: Session, ports: Ports) -> int:
    """Tell each authority what comes near, each thing once; how many were told."""
    now = ports.clock.read(session)
    today = _day(now)
    told = 0
    for row in standing_rules(session):
        scheme = rules_by_hash(session, row.rule_hash)
        for due in clocks.near(due_of(session, scheme, _day(row.published_at)), today):
            if _is_warned(session, due):
                continue
            session.add(LegalWarning(clock=due.clock, about=due.about, limit_on=due.limit, sent_at=now))
            facts = {"clock": due.clock, "limit": due.limit.isoformat(), "scheme": scheme.key}
            for authority in scheme.authorities:
                outbox.post(
                    session, ports.entropy, recipient=f"authority:{authority.key}", kind="law_due", about=due.about,
                    now=now, facts=facts,
                )  # fmt: skip
            told += 1
    session.flush()
    return told


def refuse_passed_limits(session: Session, scheme: Scheme, rule_hash: str, today: date) -> None:
    """OutOfTerm or LimitPassed where nothing may be published under these rules on this day.

    What newer rules of the same scheme say of it is true of what was published before them: that it was reopened.
    """
    if not scheme.is_in_term(today):
        over = TermReplaced if standing_scheme(session, scheme.key).is_in_term(today) else OutOfTerm
        raise over(scheme=scheme.key, starts=scheme.term.starts, ends=scheme.term.ends or "further notice")
    if _is_overdue(clocks.reopening(scheme), today):
        newer = standing_scheme(session, scheme.key).term.reopened
        _refuse_overdue(clocks.reopening(scheme, newer), today)
    if not clocks.stages_lists(scheme):
        return
    published_at = session.exec(select(SchemeRules.published_at).where(SchemeRules.rule_hash == rule_hash)).one()
    tiers = clocks.tier_publication(scheme, _day(published_at))
    if _is_overdue(tiers, today):
        told_on = tiers_told_on(session, scheme.key)
        if told_on is None or told_on < _day(published_at):
            _refuse_overdue(tiers, today)


def publish_new_rules(session: Session, scheme: Scheme, actor: Actor, now: datetime) -> SchemeRules:
    """Publish rules, unless a notice or an application of the scheme is overdue (LimitPassed, naming the first).

    BadInput where they say that the framework was reopened on a day that is still to come: that would stop its clock.
    """
    if any(day > _day(now) for day in scheme.term.reopened):
        raise BadInput("this day is still to come: publish the rules once it was reopened", field="term.reopened")
    standing = next((row for row in standing_rules(session) if row.key == scheme.key), None)
    if standing is not None:
        old = rules_by_hash(session, standing.rule_hash)
        for due in due_of(session, old, _day(standing.published_at)):
            if due.blocks is Blocked.NEW_RULES:
                _refuse_overdue(due, _day(now))
    return publish_rules(session, scheme, actor, now)


def _is_overdue(due: Due | None, today: date) -> bool:
    return due is not None and due.is_overdue(today)


def _refuse_overdue(due: Due | None, today: date) -> None:
    if due is not None and due.is_overdue(today):
        raise LimitPassed(words=due.words, last_day=due.last_day, stands_still=due.stands_still)


def _notices(session: Session, scheme: Scheme) -> Iterator[Due]:
    """The notices that are due of the scheme's contracts: those begun or to begin, and told nowhere yet.

    A council has tens of thousands of contracts and few of that worth: the others are not read, day after day.
    """
    query = (
        select(Contract, Package.funding, Package.legal_basis, Provider.name)
        .join(Package, col(Package.id) == col(Contract.package_id))
        .join(Provider, col(Provider.ref) == col(Contract.provider))
        .where(
            Contract.scheme == scheme.key,
            col(Contract.state) != ContractState.FAILED_TO_START,
            _may_be_told(scheme),
            ~is_told(scheme.key, col(Contract.ref)),
        )
        .order_by(col(Contract.id))
    )
    for contract, funding, chosen, supplier in session.exec(query):
        agreed_on = _day(contract.agreed_at)
        basis = basis_of(funding, LegalBasis(chosen) if chosen else None, scheme.legal_basis, agreed_on)
        if basis is None:
            continue
        due = clocks.contract_notice(
            contract.ref,
            basis=basis,
            scheme=scheme,
            agreed_on=agreed_on,
            weekly_pence=contract.weekly_pence,
            supplier=supplier,
        )
        if due is not None:
            yield due


def _may_be_told(scheme: Scheme) -> ColumnElement[bool]:
    """Whether a contract's money and worth let any basis ask for its notice; the rule itself decides."""
    by_nhs = col(Package.funding).in_((NHS, JOINT))
    asked = [(scheme.legal_basis, true()), *((basis, by_nhs) for basis in NHS_BASES)]
    told = [
        and_(paid, col(Contract.weekly_pence) >= least)
        for basis, paid in asked
        if (least := clocks.told_from(basis, scheme)) is not None
    ]
    return or_(false(), *told)


def _is_warned(session: Session, due: Due) -> bool:
    known = select(LegalWarning.id).where(
        LegalWarning.clock == due.clock, LegalWarning.about == due.about, LegalWarning.limit_on == due.limit
    )
    return session.exec(known).first() is not None


def _day(at: datetime) -> date:
    return at.astimezone(LONDON).date()


def as_rows(dues: Sequence[Due], today: date) -> list[dict[str, str]]:
    """The list as doors show it."""
    return [
        {
            "clock": due.clock,
            "about": due.about,
            "limit": due.limit.isoformat(),
            "warns": due.warns.isoformat(),
            "state": "overdue" if due.is_overdue(today) else "near" if due.is_near(today) else "running",
            "blocks": due.blocks,
            "words": due.words,
        }
        for due in dues
    ]
