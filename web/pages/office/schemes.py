"""The scheme that a page of the office is about: one of those that the reader's authority buys under."""

from sqlmodel import Session

from dps.kernel.errors import NotFound
from dps.schemes.model import Scheme
from web.pages.visit import Visit


def chosen_scheme(session: Session, visit: Visit, key: str) -> Scheme:
    """The scheme of this key; NotFound for any other than one's own."""
    found = next((scheme for scheme in visit.schemes(session) if scheme.key == key), None)
    if found is None:
        raise NotFound(kind="scheme", ref=key)
    return found
