"""A placement: how an unfilled package was placed outside the competition, as one person says and another decides.

It waits for an approver and holds up no search: whatever else becomes of the package meanwhile lets it lapse, with the
cause. Its events are in its referral's stream; what people write of it stands under the person's key (law 7).
"""

from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar

from sqlalchemy import CheckConstraint, Index, text
from sqlmodel import Field, Session, SQLModel, select

from bidding.referrals import Referral, locked_referral
from dps.kernel.actors import CLOCK, Actor, Role
from dps.kernel.columns import id_column, link_column, ref_column, state_column, utc_column, whole_column
from dps.kernel.database import find, locked_one
from dps.kernel.errors import NotFound
from dps.kernel.outbox import post
from dps.kernel.ports import Ports
from dps.kernel.states import StateTable, advance

PROPOSED, REFUSED = "propose", "refuse"
"""The steps that a placement's remarks are about: why it was proposed, why it was refused."""


class PlacementState(StrEnum):
    PROPOSED = "proposed"
    APPROVED = "approved"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    LAPSED = "lapsed"


class Lapse(StrEnum):
    """What became of the package, or of the proposal, before anybody decided."""

    REPLACED = "replaced"
    RESTARTED = "restarted"
    OFFER_TAKEN = "offer_taken"
    AMENDED = "amended"
    WITHDRAWN = "withdrawn"


_S = PlacementState
_WAITING = "state = 'proposed'"


class Placement(SQLModel, table=True):
    """One proposal. `how` is one of the scheme's ways; `provider` is None where the register does not hold it.

    `decided_by` is whoever approved, refused or withdrew it; what lapsed was decided by nobody.
    """

    __tablename__ = "placement"
    __table_args__ = (
        CheckConstraint("weekly_pence >= 0", name="price"),
        CheckConstraint(
            "state <> 'approved' OR (decided_by IS NOT NULL AND decided_by <> proposed_by)", name="two_people"
        ),
        CheckConstraint("(decided_at IS NULL) = (state = 'proposed')", name="decided_once"),
        CheckConstraint("(lapsed_because IS NOT NULL) = (state = 'lapsed')", name="lapsed_because"),
        Index(
            "uq_placement_waiting",
            "referral_id",
            unique=True,
            sqlite_where=text(_WAITING),
            postgresql_where=text(_WAITING),
        ),
    )
    STEPS: ClassVar[StateTable] = StateTable(
        "placement",
        _S.PROPOSED,
        (_S.PROPOSED, "approve", _S.APPROVED, (Role.APPROVER,)),
        (_S.PROPOSED, "refuse", _S.REFUSED, (Role.APPROVER,)),
        (_S.PROPOSED, "withdraw", _S.WITHDRAWN, (Role.BROKER,)),
        (_S.PROPOSED, "lapse", _S.LAPSED, (Role.CLOCK,)),
    )

    id: int | None = id_column()
    ref: str = ref_column()
    referral_id: int = link_column("referral.id")
    referral_ref: str = Field(max_length=24)
    state: PlacementState = state_column(PlacementState, index=False)
    how: str = Field(max_length=40)
    provider: str | None = Field(default=None, max_length=24)
    weekly_pence: int = whole_column()
    proposed_by: str = Field(max_length=64)
    proposed_at: datetime = utc_column()
    decided_by: str | None = Field(default=None, max_length=64)
    decided_at: datetime | None = utc_column(nullable=True)
    lapsed_because: str | None = Field(default=None, max_length=24)

    @property
    def stream(self) -> str:
        return self.referral_ref

    @property
    def terms(self) -> dict[str, Any]:
        """What an approver says yes to, as the trail tells it."""
        return {
            "how": self.how,
            "provider": self.provider,
            "weekly_pence": self.weekly_pence,
            "proposed_by": self.proposed_by,
        }


def locked_placement(session: Session, ref: str, actor: Actor) -> tuple[Placement, Referral]:
    """The placement and its referral, locked in the house's order; NotFound to another authority."""
    query = select(Placement, Referral.authority).join(Referral, Referral.id == Placement.referral_id)  # type: ignore[arg-type]
    found = session.exec(query.where(Placement.ref == ref)).first()
    if found is None:
        raise NotFound(kind="placement", ref=ref)
    placement, authority = found
    actor.sees("placement", ref, authority=authority)
    referral = locked_referral(session, placement.referral_ref, actor)
    return locked_one(session, Placement, placement.id), referral


def lapse_placement(session: Session, ports: Ports, referral: Referral, now: datetime, because: Lapse) -> None:
    """Let the proposal that waits for this referral lapse, if one does; its brokers are told, but of a newer one."""
    waiting = find(session, Placement, referral_id=referral.id, state=PlacementState.PROPOSED)
    if waiting is None:
        return
    facts = {"because": str(because)}
    advance(session, waiting, "lapse", CLOCK, now, facts=facts, decided_at=now, lapsed_because=str(because))
    if because is not Lapse.REPLACED:
        tell_authority(session, ports, referral, waiting, "placement_lapsed", now)


def tell_authority(
    session: Session, ports: Ports, referral: Referral, placement: Placement, kind: str, now: datetime
) -> None:
    """A message to the referral's authority about this placement."""
    recipient = f"authority:{referral.authority}"
    post(session, ports.entropy, recipient=recipient, kind=kind, about=placement.ref, now=now)
