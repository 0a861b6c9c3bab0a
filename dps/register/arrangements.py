"""Who supplies together: a lead with subcontractors, or a consortium whose members have shares.

The lead alone stands on the lists, declares hours, is asked, bids and answers for the work. So hours are counted once:
a member holds no place of its own in the scheme while the arrangement runs, and none is given to it. An arrangement is
ended, never rewritten: what was delivered and shared on a day can be told for ever.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import ClassVar

from sqlalchemy import CheckConstraint, UniqueConstraint
from sqlalchemy.orm import aliased
from sqlmodel import Field, Session, SQLModel, col, or_, select

from dps.kernel import audit, outbox
from dps.kernel.actors import Actor, Role
from dps.kernel.calendar import LONDON
from dps.kernel.columns import day_column, id_column, link_column, ref_column, state_column, utc_column, whole_column
from dps.kernel.database import locked_one
from dps.kernel.errors import BadInput, NotFound, RuleNotMet
from dps.kernel.ports import Ports
from dps.kernel.references import Kind, new_reference
from dps.kernel.states import StateTable, advance
from dps.register.interests import refuse_tied
from dps.register.officers import needs_officer
from dps.register.providers import Provider, locked_providers
from dps.schemes.model import Scheme

PAGE = 100


class ArrangementKind(StrEnum):
    LEAD = "lead"
    CONSORTIUM = "consortium"


class ArrangementState(StrEnum):
    AGREED = "agreed"
    ENDED = "ended"


_S = ArrangementState


class Arrangement(SQLModel, table=True):
    """From `from_day` to `last_day`, both included; without an end while it is agreed."""

    __tablename__ = "arrangement"
    __table_args__ = (
        CheckConstraint("(last_day IS NOT NULL) = (state = 'ended')", name="last_day_when_ended"),
        CheckConstraint("last_day >= from_day", name="days_in_order"),
    )
    STEPS: ClassVar[StateTable] = StateTable(
        "arrangement", _S.AGREED, (_S.AGREED, "end", _S.ENDED, (Role.REGISTER_OFFICER,))
    )

    id: int | None = id_column()
    ref: str = ref_column()
    kind: ArrangementKind = state_column(ArrangementKind, index=False)
    state: ArrangementState = state_column(ArrangementState, index=False)
    scheme: str = Field(max_length=40)
    lead: str = Field(max_length=24, index=True)
    from_day: date = day_column()
    last_day: date | None = day_column(nullable=True)
    agreed_at: datetime = utc_column()
    agreed_by: str = Field(max_length=64)

    @property
    def stream(self) -> str:
        return self.ref

    def runs_on(self, day: date) -> bool:
        return self.from_day <= day and (self.last_day is None or day <= self.last_day)


class ArrangementMember(SQLModel, table=True):
    """One subcontractor, without a share; or one member of a consortium, the lead among them, with its share."""

    __tablename__ = "arrangement_member"
    __table_args__ = (
        UniqueConstraint("arrangement_id", "provider"),
        CheckConstraint("share_percent BETWEEN 1 AND 99", name="share_of_100"),
    )

    id: int | None = id_column()
    arrangement_id: int = link_column("arrangement.id", index=False)
    provider: str = Field(max_length=24, index=True)
    share_percent: int | None = whole_column(nullable=True)


def arrange(
    session: Session,
    ports: Ports,
    *,
    scheme: Scheme,
    kind: ArrangementKind,
    lead: str,
    members: Mapping[str, int | None],
    from_day: date,
    actor: Actor,
) -> Arrangement:
    """Record who supplies together, from a day on. `members` are subcontractors, or all of a consortium with shares.

    RuleNotMet, with every reason, where the scheme does not allow it or hours would be counted twice.
    """
    needs_officer(actor, scheme, "record an arrangement of providers")
    if kind.value not in scheme.admission.arrangements:
        allowed = ", ".join(scheme.admission.arrangements) or "single providers alone"
        raise RuleNotMet(reason=f"{scheme.name} allows {allowed}.")
    _refuse_shares(kind, lead, members)
    rows = {row.ref: row for row in _providers(session, {lead, *members})}
    if strangers := sorted({lead, *members} - rows.keys()):
        raise NotFound(kind="provider", ref=strangers[0])
    for provider in sorted(rows):
        refuse_tied(session, actor, provider, "record an arrangement of providers")
    # Admission locks its provider, so that nobody becomes a member of the scheme meanwhile.
    locked_providers(session, [row.id or 0 for row in rows.values()])
    now = ports.clock.read(session)
    against = list(_against(session, scheme, lead, set(members) - {lead}, from_day))
    if against:
        raise RuleNotMet(reason=" ".join(against))
    made = Arrangement(
        ref=new_reference(Kind.ARRANGEMENT, ports.entropy),
        kind=kind,
        state=_S.AGREED,
        scheme=scheme.key,
        lead=lead,
        from_day=from_day,
        agreed_at=now,
        agreed_by=actor.ref,
    )
    session.add(made)
    session.flush()
    session.add_all(
        ArrangementMember(arrangement_id=made.id or 0, provider=provider, share_percent=share)
        for provider, share in sorted(members.items())
    )
    session.flush()
    facts = {
        "scheme": scheme.key,
        "kind": kind,
        "lead": lead,
        "members": dict(sorted(members.items())),
        "from_day": from_day.isoformat(),
    }
    audit.append(session, made.stream, "arrangement.agreed", actor, now, facts)
    for provider in sorted({lead, *members}):
        recipient = f"provider:{provider}"
        outbox.post(session, ports.entropy, recipient=recipient, kind="arrangement_agreed", about=made.ref, now=now)
    return made


def end_arrangement(
    session: Session, ports: Ports, *, arrangement_ref: str, scheme: Scheme, actor: Actor
) -> Arrangement:
    """End an arrangement today; its members may be admitted by themselves from tomorrow on."""
    needs_officer(actor, scheme, "end an arrangement of providers")
    known = session.exec(select(Arrangement).where(Arrangement.ref == arrangement_ref)).first()
    if known is None or known.scheme != scheme.key:
        raise NotFound(kind="arrangement", ref=arrangement_ref)
    refuse_tied(session, actor, known.lead, "end an arrangement of providers")
    row = locked_one(session, Arrangement, known.id)
    now = ports.clock.read(session)
    last_day = max(now.astimezone(LONDON).date(), row.from_day)
    advance(session, row, "end", actor, now, last_day=last_day)
    return row


# Queries


@dataclass(frozen=True, slots=True)
class SeenArrangement:
    """An arrangement with the names of who is in it; `members` are (reference, name, share) in order of reference."""

    arrangement: Arrangement
    lead_name: str
    members: tuple[tuple[str, str, int | None], ...]


def arrangements_seen(
    session: Session, *, actor: Actor, schemes: Collection[str] = (), ref: str | None = None, page: int = 1
) -> list[SeenArrangement]:
    """A provider's own, as lead or member, or an officer's `schemes`': those that run first, a hundred a page.

    Of each the lead stands first, the others by name.
    """
    actor.needs("look at arrangements", Role.REGISTER_OFFICER, Role.PROVIDER)
    if actor.role is Role.PROVIDER:
        joined = select(ArrangementMember.arrangement_id).where(ArrangementMember.provider == actor.provider)
        theirs = or_(col(Arrangement.lead) == actor.provider, col(Arrangement.id).in_(joined))
    else:
        theirs = col(Arrangement.scheme).in_(schemes)
    order = (col(Arrangement.state), col(Arrangement.from_day).desc(), col(Arrangement.id).desc())
    shown = select(Arrangement.id).where(theirs).order_by(*order).offset((max(page, 1) - 1) * PAGE).limit(PAGE)
    if ref is not None:
        shown = shown.where(Arrangement.ref == ref)
    lead, member = aliased(Provider), aliased(Provider)
    query = (
        select(  # type: ignore[call-overload]
            Arrangement, lead.name, ArrangementMember.provider, member.name, ArrangementMember.share_percent
        )
        .join(lead, col(lead.ref) == col(Arrangement.lead))
        .join(ArrangementMember, col(ArrangementMember.arrangement_id) == col(Arrangement.id))
        .join(member, col(member.ref) == col(ArrangementMember.provider))
        .where(col(Arrangement.id).in_(shown))
        .order_by(
            *order,
            col(ArrangementMember.provider) != col(Arrangement.lead),
            member.name,
            col(ArrangementMember.provider),
        )
    )
    found: dict[str, SeenArrangement] = {}
    for row, lead_name, provider, name, share in session.exec(query):
        before = found.get(row.ref)
        members = (*(before.members if before else ()), (provider, name, share))
        found[row.ref] = SeenArrangement(row, lead_name, members)
    return list(found.values())


def arrangement_of_lead(session: Session, *, scheme: str, lead: str, on: date) -> Arrangement | None:
    """What runs on that day with this provider as its lead."""
    rows = session.exec(
        select(Arrangement).where(Arrangement.scheme == scheme, Arrangement.lead == lead).order_by(col(Arrangement.id))
    ).all()
    return next((row for row in rows if row.runs_on(on)), None)


def members_of(session: Session, arrangement: Arrangement) -> dict[str, int | None]:
    """Its members with their shares, in order of reference."""
    query = select(ArrangementMember).where(ArrangementMember.arrangement_id == arrangement.id)
    return {row.provider: row.share_percent for row in session.exec(query.order_by(col(ArrangementMember.provider)))}


def bound_as_member(session: Session, *, scheme: str, provider: str, on: date) -> Arrangement | None:
    """The arrangement in which a provider works under another's lead, on that day or later."""
    query = (
        select(Arrangement)
        .join(ArrangementMember, col(ArrangementMember.arrangement_id) == col(Arrangement.id))
        .where(
            Arrangement.scheme == scheme,
            ArrangementMember.provider == provider,
            Arrangement.lead != provider,
            or_(col(Arrangement.last_day).is_(None), col(Arrangement.last_day) >= on),
        )
    )
    return session.exec(query.order_by(col(Arrangement.id))).first()


def refuse_bound(session: Session, *, scheme: str, provider: str, on: date) -> None:
    """RuleNotMet for a provider that works under another's lead: its hours are counted there already."""
    bound = bound_as_member(session, scheme=scheme, provider=provider, on=on)
    if bound is not None:
        raise RuleNotMet(
            reason=f"{provider} works under the lead of {bound.lead} ({bound.ref}): its hours are counted there. "
            "End the arrangement first."
        )


def _refuse_shares(kind: ArrangementKind, lead: str, members: Mapping[str, int | None]) -> None:
    if kind is ArrangementKind.LEAD:
        if not members or lead in members or any(share is not None for share in members.values()):
            raise BadInput("name the subcontractors, without the lead and without shares", field="members")
        return
    shares = [share or 0 for share in members.values()]
    if len(members) < 2 or lead not in members or sum(shares) != 100 or min(shares) < 1:
        raise BadInput("name two members or more, the lead among them, with shares that make 100", field="members")


def _against(session: Session, scheme: Scheme, lead: str, others: set[str], from_day: date) -> Sequence[str]:
    # Membership admits, and asks this room whether it may: imported here, so that the two rooms don't need each other.
    from dps.register.membership import Membership, MembershipState

    held = session.exec(
        select(Membership.provider_ref).where(
            Membership.scheme == scheme.key,
            Membership.state != MembershipState.REMOVED,
            col(Membership.provider_ref).in_(others),
        )
    )
    found = [f"{one} holds a place of its own: its hours would be counted twice." for one in sorted(set(held))]
    for one in sorted({lead, *others}):
        if bound_as_member(session, scheme=scheme.key, provider=one, on=from_day) is not None:
            found.append(f"{one} works under another's lead already.")
        if arrangement_of_lead(session, scheme=scheme.key, lead=one, on=from_day) is not None:
            found.append(f"{one} leads an arrangement already.")
    return found


def _providers(session: Session, refs: set[str]) -> Sequence[Provider]:
    return session.exec(select(Provider).where(col(Provider.ref).in_(refs)).order_by(col(Provider.id))).all()
