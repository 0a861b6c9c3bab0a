"""What officers of the register see of the schemes that their authority buys under: lists of one SELECT each."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import case, exists, func, literal_column
from sqlmodel import Session, col, or_, select

from dps.kernel.actors import Actor, Role
from dps.kernel.errors import NotFound
from dps.register.applications import Application, ApplicationState
from dps.register.capacity import Ledger, LedgerFlag
from dps.register.documents import CheckState, Document, DocumentCheck
from dps.register.inquiries import Inquiry
from dps.register.membership import Membership, MembershipState
from dps.register.providers import Provider
from dps.register.suspensions import Suspension

PAGE = 100
_READERS = (Role.REGISTER_OFFICER,)


def to_decide(
    session: Session, schemes: Collection[str], *, actor: Actor
) -> Sequence[tuple[Application, str, int, int]]:
    """What waits for a decision, the most pressing first: (application, provider's name, questions asked, answers)."""
    actor.needs("look at applications", *_READERS)

    def count(column: object) -> object:
        counted = select(func.count(column)).where(Inquiry.application_id == Application.id)  # type: ignore[arg-type]
        return counted.correlate(Application).scalar_subquery()

    query = (
        select(Application, Provider.name, count(Inquiry.id), count(Inquiry.answered_at))  # type: ignore[call-overload]
        .join(Provider, col(Provider.id) == col(Application.provider_id))
        .where(col(Application.scheme).in_(schemes), col(Application.state) == ApplicationState.SUBMITTED)
        .order_by(col(Application.decide_by), col(Application.id))
    )
    found: Sequence[tuple[Application, str, int, int]] = session.exec(query).all()
    return found


@dataclass(frozen=True, slots=True)
class SeenProvider:
    """A provider in a list: how many places it holds, and how many of them are suspended."""

    provider: str
    name: str
    is_full: bool
    held: int
    suspended: int
    removed: int


def providers_seen(
    session: Session, schemes: Collection[str], *, actor: Actor, named: str = "", page: int = 1
) -> list[SeenProvider]:
    """Who holds or held a place in these schemes, by name, a hundred a page; those whose name has `named` in it."""
    actor.needs("look at the register", *_READERS)

    def places(*states: MembershipState) -> object:
        return func.sum(case((col(Membership.state).in_(states), 1), else_=0))

    query = (
        select(  # type: ignore[call-overload]
            Provider,
            places(MembershipState.ACTIVE, MembershipState.SUSPENDED),
            places(MembershipState.SUSPENDED),
            places(MembershipState.REMOVED),
        )
        .join(Membership, col(Membership.provider_id) == col(Provider.id))
        .where(col(Membership.scheme).in_(schemes))
        .group_by(*Provider.__table__.columns)  # type: ignore[attr-defined]
        .order_by(func.lower(col(Provider.name)), col(Provider.id))
        .offset((max(page, 1) - 1) * PAGE)
        .limit(PAGE)
    )
    if named:
        query = query.where(func.lower(col(Provider.name)).contains(named.lower(), autoescape=True))
    return [
        SeenProvider(
            provider=one.ref,
            name=one.name,
            is_full=one.full_since is not None,
            held=int(held),
            suspended=int(suspended),
            removed=int(removed),
        )
        for one, held, suspended, removed in session.exec(query)
    ]


def provider_seen(session: Session, ref: str, schemes: Collection[str], *, actor: Actor) -> Provider:
    """The provider, if it holds, held or asked for a place in one of these schemes; NotFound otherwise."""
    actor.needs("look at the register", *_READERS)
    member = exists().where(col(Membership.provider_id) == col(Provider.id), col(Membership.scheme).in_(schemes))
    applicant = exists().where(
        col(Application.provider_id) == col(Provider.id),
        col(Application.scheme).in_(schemes),
        col(Application.state) != ApplicationState.DRAFT,
    )
    found = session.exec(select(Provider).where(Provider.ref == ref, or_(member, applicant))).first()
    if found is None:
        raise NotFound(kind="provider", ref=ref)
    return found


def application_seen(session: Session, ref: str, schemes: Collection[str], *, actor: Actor) -> Application:
    """The application, once it was handed in to one of these schemes; a draft is its provider's own affair."""
    actor.needs("look at applications", *_READERS)
    query = select(Application).where(
        Application.ref == ref,
        col(Application.scheme).in_(schemes),
        col(Application.submitted_at).is_not(None),
    )
    found = session.exec(query).first()
    if found is None:
        raise NotFound(kind="application", ref=ref)
    return found


def applications_by(session: Session, provider_id: int, schemes: Collection[str]) -> Sequence[Application]:
    """What a provider handed in to these schemes, the latest first."""
    query = (
        select(Application)
        .where(
            Application.provider_id == provider_id,
            col(Application.scheme).in_(schemes),
            col(Application.submitted_at).is_not(None),
        )
        .order_by(col(Application.id).desc())
    )
    return session.exec(query).all()


def suspension_seen(session: Session, ref: str, schemes: Collection[str], *, actor: Actor) -> Suspension:
    """A suspension in one of these schemes; NotFound otherwise."""
    actor.needs("look at the register", *_READERS)
    query = select(Suspension).where(Suspension.ref == ref, col(Suspension.scheme).in_(schemes))
    found = session.exec(query).first()
    if found is None:
        raise NotFound(kind="suspension", ref=ref)
    return found


def suspensions_of(session: Session, provider_id: int, schemes: Collection[str]) -> Sequence[Suspension]:
    """Every suspension of a provider in these schemes, the latest first."""
    query = (
        select(Suspension)
        .where(Suspension.provider_id == provider_id, col(Suspension.scheme).in_(schemes))
        .order_by(col(Suspension.id).desc())
    )
    return session.exec(query).all()


@dataclass(frozen=True, slots=True)
class EndingDocument:
    """The latest document of its kind, and its last good day, which comes soon or is over."""

    provider: str
    name: str
    document: str
    kind: str
    expires_on: date


def documents_ending(session: Session, schemes: Collection[str], *, by: date, actor: Actor) -> list[EndingDocument]:
    """The latest documents of the schemes' members whose last good day is before `by`, the first to end first.

    What waits for an officer or was refused is not counted: it neither ends nor takes another's place.
    """
    actor.needs("look at documents", *_READERS)
    later = Document.__table__.alias("later")  # type: ignore[attr-defined]
    unconfirmed = select(DocumentCheck.document_id).where(col(DocumentCheck.state) != CheckState.CONFIRMED)
    is_latest = ~exists(
        select(literal_column("1"))
        .select_from(later)
        .where(
            later.c.provider_id == col(Document.provider_id),
            later.c.kind == col(Document.kind),
            later.c.id > col(Document.id),
            later.c.id.not_in(unconfirmed),
        )
        .correlate(Document)
    )
    member = exists().where(
        col(Membership.provider_id) == col(Provider.id),
        col(Membership.scheme).in_(schemes),
        col(Membership.state) != MembershipState.REMOVED,
    )
    query = (
        select(Document, Provider.ref, Provider.name)
        .join(Provider, col(Provider.id) == col(Document.provider_id))
        .where(col(Document.expires_on) < by, col(Document.id).not_in(unconfirmed), is_latest, member)
        .order_by(col(Document.expires_on), col(Document.id))
    )
    return [
        EndingDocument(provider=ref, name=name, document=one.ref, kind=one.kind, expires_on=one.expires_on)
        for one, ref, name in session.exec(query)
        if one.expires_on is not None
    ]


@dataclass(frozen=True, slots=True)
class FlaggedHours:
    """A row of the ledger that somebody should look at, and whose it is."""

    provider: str
    name: str
    row: Ledger


def flagged_hours(session: Session, *, actor: Actor) -> list[FlaggedHours]:
    """The flagged rows of the actor's own authority, the oldest flag first."""
    actor.needs("look at free hours", Role.BROKER, *_READERS)
    query = (
        select(Ledger, Provider.ref, Provider.name)
        .join(Provider, col(Provider.id) == col(Ledger.provider_id))
        .where(Ledger.authority == actor.authority, col(Ledger.flag) != LedgerFlag.NONE)
        .order_by(col(Ledger.flagged_at), col(Ledger.id))
    )
    return [FlaggedHours(provider=ref, name=name, row=row) for row, ref, name in session.exec(query)]


def document_provider(session: Session, document_ref: str) -> str:
    """Whose document this is; NotFound where there is none."""
    query = (
        select(Provider.ref)
        .join(Document, col(Document.provider_id) == col(Provider.id))
        .where(Document.ref == document_ref)
    )
    found = session.exec(query).first()
    if found is None:
        raise NotFound(kind="document", ref=document_ref)
    return found
