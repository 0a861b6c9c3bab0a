"""Which scheme a request is about."""

from sqlmodel import Session

from dps.kernel.actors import Actor
from dps.kernel.errors import NotFound
from dps.schemes.model import Scheme
from dps.schemes.published import standing_scheme


def scheme_seen(session: Session, key: str, actor: Actor) -> Scheme:
    """The standing scheme of this key, to providers and to the authorities that buy under it; NotFound to others."""
    scheme = standing_scheme(session, key)
    if actor.authority is not None and actor.authority not in {body.key for body in scheme.authorities}:
        raise NotFound(kind="published scheme", ref=key)
    return scheme
