"""Who may bid for an area contract: active members of its lists for one of its lots, anywhere, insured and suspended
from nothing."""

from collections.abc import Collection
from datetime import datetime

from sqlmodel import Session

from dps.register.membership import MembershipState
from dps.register.standing import standing
from dps.schemes.area_contracts import AreaContract
from dps.schemes.model import Scheme

NOT_ENTITLED = "You are no active member of a list for one of its services, with every document that is asked for."
NO_LONGER = "The provider may no longer take part."


def entitled(
    session: Session, scheme: Scheme, asked: AreaContract, at: datetime, *, ids: Collection[int] | None = None
) -> set[str]:
    """The references of the providers that may bid at this instant, of these row ids or of all."""
    return {
        one.provider
        for one in standing(session, scheme.key, at, providers=ids, lots=None if ids is not None else asked.lots)
        if not one.missing_documents(scheme.admission.documents)
        and any(
            held.state is MembershipState.ACTIVE and held.place[0] in asked.lists and held.place[1] in asked.lots
            for held in one.memberships
        )
    }
