"""Applications: a provider asks to supply lots in localities; the council answers within its clock, with a reason.

*Overdue* is derived from `decide_by`. Approval makes the memberships in the same transaction.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar

from sqlmodel import Field, Session, SQLModel, col, select

from dps.kernel import audit, outbox
from dps.kernel.actors import Actor, Role
from dps.kernel.columns import id_column, json_column, link_column, ref_column, state_column, utc_column
from dps.kernel.database import locked_one
from dps.kernel.errors import AdmissionClosed, BadInput, DocumentsMissing, NotFound, RuleNotMet
from dps.kernel.ports import Ports
from dps.kernel.references import Kind, new_reference
from dps.kernel.states import StateTable, advance
from dps.register import admission
from dps.register.documents import latest_documents, missing
from dps.register.interests import refuse_tied
from dps.register.membership import Membership, admit_places, places_open
from dps.register.officers import needs_officer, tell_officers
from dps.register.providers import Provider, locked_provider, may_act_for
from dps.register.texts import known, reason
from dps.schemes.model import Scheme

_APPLICANT = (Role.PROVIDER, Role.REGISTER_OFFICER)
_OFFICER = (Role.REGISTER_OFFICER,)


class ApplicationState(StrEnum):
    DRAFT = "draft"
    SUBMITTED = "submitted"
    APPROVED = "approved"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


_S = ApplicationState


class Application(SQLModel, table=True):
    """One application of one provider to one scheme, for all its `lots` in all its `localities`.

    `turned_down` has (list, locality, reason) of every place that its approval left out.
    """

    __tablename__ = "application"
    STEPS: ClassVar[StateTable] = StateTable(
        "application",
        _S.DRAFT,
        (_S.DRAFT, "revise", _S.DRAFT, _APPLICANT),
        (_S.DRAFT, "submit", _S.SUBMITTED, _APPLICANT),
        (_S.DRAFT, "withdraw", _S.WITHDRAWN, _APPLICANT),
        (_S.SUBMITTED, "approve", _S.APPROVED, _OFFICER),
        (_S.SUBMITTED, "refuse", _S.REFUSED, _OFFICER),
        (_S.SUBMITTED, "withdraw", _S.WITHDRAWN, _APPLICANT),
    )

    id: int | None = id_column()
    ref: str = ref_column()
    provider_id: int = link_column("provider.id")
    provider_ref: str = Field(max_length=24)
    scheme: str = Field(max_length=40, index=True)
    state: ApplicationState = state_column(ApplicationState)
    lots: Any = json_column()
    localities: Any = json_column()
    answers: Any = json_column()
    flags: Any = json_column()
    drafted_at: datetime = utc_column()
    submitted_at: datetime | None = utc_column(nullable=True)
    decide_by: datetime | None = utc_column(nullable=True)
    decided_at: datetime | None = utc_column(nullable=True)
    decided_by: str | None = Field(default=None)
    lists: Any = json_column(nullable=True)
    turned_down: Any = json_column(nullable=True)
    reason: str | None = Field(default=None)

    @property
    def stream(self) -> str:
        return self.ref

    def is_overdue(self, now: datetime) -> bool:
        """Whether the council should have answered by now."""
        return self.state is _S.SUBMITTED and self.decide_by is not None and self.decide_by <= now


def draft(
    session: Session,
    ports: Ports,
    *,
    provider_id: int,
    scheme: Scheme,
    lots: Iterable[str],
    localities: Iterable[str],
    actor: Actor,
    answers: Mapping[str, Any] | None = None,
) -> Application:
    """Begin an application; answers may still be missing. The provider may, or an officer for it."""
    provider = locked_provider(session, provider_id)
    may_act_for(actor, provider, "apply")
    _refuse_strange_officer(actor, scheme)
    now = ports.clock.read(session)
    application = Application(
        ref=new_reference(Kind.APPLICATION, ports.entropy),
        provider_id=provider_id,
        provider_ref=provider.ref,
        scheme=scheme.key,
        state=_S.DRAFT,
        flags=[],
        drafted_at=now,
        **_asked(scheme, lots, localities, answers or {}),
    )
    session.add(application)
    session.flush()
    facts = {"provider": provider.ref, "scheme": scheme.key}
    audit.append(session, application.stream, "application.draft", actor, now, facts)
    return application


def revise(
    session: Session,
    ports: Ports,
    application: Application,
    *,
    scheme: Scheme,
    lots: Iterable[str],
    localities: Iterable[str],
    answers: Mapping[str, Any],
    actor: Actor,
) -> None:
    """Say anew what a draft asks for."""
    _locked(session, application, scheme, actor)
    asked = _asked(scheme, lots, localities, answers)
    advance(session, application, "revise", actor, ports.clock.read(session), **asked)


def submit(session: Session, ports: Ports, application: Application, *, scheme: Scheme, actor: Actor) -> None:
    """Hand a draft in, every question answered; from now on the council's clock runs. `AdmissionClosed` outside.

    RuleNotMet while an earlier one asks for all of it and waits: nobody is given the same decision to make twice.
    """
    _locked(session, application, scheme, actor)
    answers = admission.checked_answers(scheme, application.answers, complete=True)
    now = ports.clock.read(session)
    if not admission.is_open(scheme, now):
        raise AdmissionClosed(scheme=scheme.key, opens_at=admission.next_opening(scheme, now))
    if (earlier := asked_already(session, application)) is not None:
        raise RuleNotMet(reason=f"{earlier} asks for all of this and waits for its decision. Withdraw one of the two.")
    flags = [list(flag) for flag in admission.flags(scheme, answers)]
    advance(
        session,
        application,
        "submit",
        actor,
        now,
        facts={"lots": application.lots, "localities": application.localities, "flags": flags},
        submitted_at=now,
        decide_by=admission.decide_by(scheme, now),
        flags=flags,
    )
    tell_officers(session, ports, [scheme], kind="application_to_decide", about=application.ref, now=now)


def approve(
    session: Session,
    ports: Ports,
    application: Application,
    *,
    scheme: Scheme,
    lists: Iterable[str],
    actor: Actor,
    turned_down: Mapping[tuple[str, str], str] | None = None,
) -> Sequence[Membership]:
    """Admit the applicant to these lists, for its lots and localities; the memberships that this made.

    `turned_down` leaves out a list's localities, (list, locality) to the reason, which the applicant reads. Refused
    (`DocumentsMissing`) until the scheme's documents are here and good. A place held already stays as it is.
    """
    needs_officer(actor, scheme, "approve an application")
    refuse_tied(session, actor, application.provider_ref, "approve an application")
    provider = _locked(session, application, scheme, actor)
    now = ports.clock.read(session)
    held = latest_documents(session, [application.provider_id]).get(application.provider_id, {})
    if lacking := missing(held, scheme.admission.documents, now):
        raise DocumentsMissing(kinds=", ".join(lacking))
    chosen = known(lists, (one.key for one in scheme.lists), "list", "lists")
    out = _turned_down(application, scheme, chosen, turned_down or {})
    decision = {"decided_at": now, "decided_by": actor.ref, "lists": chosen, "turned_down": out}
    facts = {"lists": chosen, "turned_down": [[name, where] for name, where, _ in out]}
    left_out = {(name, where) for name, where, _ in out}
    places = [
        (name, lot, where)
        for name in chosen
        for lot in application.lots
        for where in application.localities
        if (name, where) not in left_out
    ]
    # Asked before anything moves: whoever catches the refusal finds the application as it was.
    places_open(session, provider=provider, scheme=scheme, places=places, now=now)
    advance(session, application, "approve", actor, now, facts=facts, **decision)
    made = admit_places(session, ports, provider=provider, scheme=scheme, places=places, actor=actor, now=now)
    _tell(session, ports, application, "application.approved", now)
    return made


def refuse(
    session: Session, ports: Ports, application: Application, *, scheme: Scheme, because: str, actor: Actor
) -> None:
    """Turn an application down; the applicant reads the reason."""
    needs_officer(actor, scheme, "refuse an application")
    refuse_tied(session, actor, application.provider_ref, "refuse an application")
    words = reason(because)
    _locked(session, application, scheme, actor)
    now = ports.clock.read(session)
    advance(session, application, "refuse", actor, now, decided_at=now, decided_by=actor.ref, reason=words)
    _tell(session, ports, application, "application.refused", now)


def withdraw(session: Session, ports: Ports, application: Application, *, scheme: Scheme, actor: Actor) -> None:
    """Take an application back before it is decided."""
    _locked(session, application, scheme, actor)
    advance(session, application, "withdraw", actor, ports.clock.read(session))


# Queries


def application_of(session: Session, ref: str, actor: Actor) -> Application:
    """The application with this reference, if `actor` may know of it."""
    application = session.exec(select(Application).where(Application.ref == ref)).first()
    if application is None:
        raise NotFound(kind="application", ref=ref)
    actor.sees("application", ref, provider=application.provider_ref)
    return application


def own_applications(session: Session, actor: Actor) -> Sequence[Application]:
    """Every application of this actor's provider, the latest first."""
    actor.needs("see its applications", Role.PROVIDER)
    query = select(Application).where(Application.provider_ref == actor.provider).order_by(col(Application.id).desc())
    return session.exec(query).all()


def asked_already(session: Session, application: Application) -> str | None:
    """The application of the same provider that waits for a decision on all that this one asks for; None of none."""
    waiting = session.exec(
        select(Application)
        .where(
            Application.provider_id == application.provider_id,
            Application.scheme == application.scheme,
            col(Application.state) == _S.SUBMITTED,
            col(Application.id) != application.id,
        )
        .order_by(col(Application.id))
    )
    return next((one.ref for one in waiting if _covers(one, application)), None)


def _covers(one: Application, other: Application) -> bool:
    return set(other.lots) <= set(one.lots) and set(other.localities) <= set(one.localities)


def awaiting_decision(session: Session, scheme_key: str) -> Sequence[Application]:
    """What the scheme's officers have to decide, the most pressing first."""
    query = (
        select(Application)
        .where(Application.scheme == scheme_key, col(Application.state) == _S.SUBMITTED)
        .order_by(col(Application.decide_by), col(Application.id))
    )
    return session.exec(query).all()


def _locked(session: Session, application: Application, scheme: Scheme, actor: Actor) -> Provider:
    """Lock provider, then application; refuse a stranger, and rules that are not this application's."""
    if application.scheme != scheme.key:
        raise NotFound(kind="application", ref=application.ref)
    _refuse_strange_officer(actor, scheme)
    actor.sees("application", application.ref, provider=application.provider_ref)
    provider = locked_provider(session, application.provider_id)
    locked_one(session, Application, application.id)
    return provider


def _refuse_strange_officer(actor: Actor, scheme: Scheme) -> None:
    if actor.role is Role.REGISTER_OFFICER:
        needs_officer(actor, scheme, "act for an applicant")


def _turned_down(
    application: Application, scheme: Scheme, chosen: Sequence[str], reasons: Mapping[tuple[str, str], str]
) -> list[list[str]]:
    """Every place left out with its reason, in the order of the scheme's lists and the application's localities."""
    for name, where in reasons:
        known([name], (one.key for one in scheme.lists), "list", "turned_down")
        known([where], application.localities, "locality", "turned_down")
    out = [
        [one.key, where, reason(reasons[(one.key, where)])]
        for one in scheme.lists
        for where in application.localities
        if (one.key, where) in reasons
    ]
    for name in chosen:
        if all((name, where) in reasons for where in application.localities):
            raise BadInput("no area is left on this list: leave the list out, or refuse the application", field="lists")
    return out


def _asked(
    scheme: Scheme, lots: Iterable[str], localities: Iterable[str], answers: Mapping[str, Any]
) -> dict[str, Any]:
    return {
        "lots": known(lots, (lot.key for lot in scheme.lots), "lot", "lots"),
        "localities": known(localities, (place.key for place in scheme.localities), "locality", "localities"),
        "answers": admission.checked_answers(scheme, answers, complete=False),
    }


def _tell(session: Session, ports: Ports, application: Application, kind: str, now: datetime) -> None:
    recipient = f"provider:{application.provider_ref}"
    outbox.post(session, ports.entropy, recipient=recipient, kind=kind, about=application.ref, now=now)
