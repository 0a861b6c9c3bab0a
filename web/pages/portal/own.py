"""What the pages of a provider's own service share: its row, its schemes, and how they read the day."""

from sqlmodel import Session

from dps.kernel.errors import NotFound
from dps.register.providers import Provider, provider_of
from dps.schemes.model import Scheme
from web.pages.visit import Visit


def own_provider(session: Session, visit: Visit) -> Provider:
    """The register's row of the provider that is signed in."""
    return provider_of(session, visit.actor.provider or "", visit.actor)


def own_scheme(session: Session, visit: Visit, key: str) -> Scheme:
    """A scheme that this provider belongs to; NotFound for any other."""
    found = next((scheme for scheme in visit.schemes(session) if scheme.key == key), None)
    if found is None:
        raise NotFound(kind="scheme", ref=key)
    return found


def wall_time(minute: int | None) -> str:
    """`07:30`, as a field of a form takes it; empty for none."""
    return "" if minute is None else f"{minute // 60 % 24:02d}:{minute % 60:02d}"
