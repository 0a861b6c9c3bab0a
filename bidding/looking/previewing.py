"""Before publication: exactly what providers will see of a package, and what it lacks."""

from dataclasses import dataclass
from typing import Any

from sqlmodel import Session

from bidding.referrals import referral_of
from bidding.stages import published_part_of
from dps.kernel.actors import Actor, Role
from dps.kernel.calendar import LONDON
from dps.kernel.ports import Ports
from dps.packages import readiness
from dps.packages.crowd import Grain
from dps.packages.packages import Package, free_text_of, person_of
from dps.schemes.model import Scheme


@dataclass(frozen=True, slots=True)
class Preview:
    """`part` is what providers will see, None without a schedule; the rest is what is due, in words."""

    part: dict[str, Any] | None
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
    later = [gap for gap in gaps.for_confirmation if gap not in gaps.for_publication]
    return Preview(
        part=part,
        due_for_publication=tuple(readiness.WORDS[gap] for gap in gaps.for_publication),
        due_for_confirmation=tuple(readiness.WORDS[gap] for gap in later),
    )
