"""Before publication: exactly what providers will see of a package, and what it lacks."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlmodel import Session

from bidding.first_visit import days_left, is_over
from bidding.referrals import referral_of
from bidding.stages import ends_at, published_part_of
from dps.kernel.actors import Actor, Role
from dps.kernel.calendar import LONDON
from dps.kernel.ports import Ports
from dps.packages import readiness
from dps.packages.crowd import Grain
from dps.packages.packages import Package, free_text_of, person_of
from dps.schemes.model import Scheme


@dataclass(frozen=True, slots=True)
class Preview:
    """`part` is what providers will see, None without a schedule; `due_…` is what is due, in words.

    `closes_at` is when the first stage closes if it is published now, None where it asks one after another. Where the
    days wanted for the first visit are over by then, others are asked for: `start_moves_to`.
    """

    part: dict[str, Any] | None
    closes_at: datetime | None
    start_moves_to: tuple[date, date] | None
    due_for_publication: tuple[str, ...]
    due_for_confirmation: tuple[str, ...]


def preview(session: Session, ports: Ports, *, referral_ref: str, scheme: Scheme, actor: Actor) -> Preview:
    """For the office of the referral's authority; NotFound to any other."""
    actor.needs("preview a publication", Role.BROKER, Role.APPROVER)
    referral = referral_of(session, referral_ref, actor)
    package = session.get(Package, referral.package_id)
    assert package is not None
    now = ports.clock.read(session)
    today = now.astimezone(LONDON).date()
    gaps = readiness.missing(package, person_of(session, package), scheme.lot(package.lot), today)
    part = None
    if package.schedule is not None:
        part = published_part_of(session, package, scheme, now)
        if part["grain"] != Grain.LEAST and package.free_text_confirmed_by is not None:
            words = free_text_of(session, ports.keyring, package)
            part |= {"pen_picture": words.pen_picture, "outcomes": list(words.outcomes)}
    closes_at = ends_at(scheme.ladder(package.lot, package.urgency).stages[0], scheme, now)
    day = (closes_at or now).astimezone(LONDON).date()
    first, last = days_left(package.earliest_start, package.latest_start, day)
    later = [gap for gap in gaps.for_confirmation if gap not in gaps.for_publication]
    return Preview(
        part=part,
        closes_at=closes_at,
        start_moves_to=(first, last) if is_over(package.latest_start, day) and first and last else None,
        due_for_publication=tuple(readiness.WORDS[gap] for gap in gaps.for_publication),
        due_for_confirmation=tuple(readiness.WORDS[gap] for gap in later),
    )
