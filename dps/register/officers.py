"""Who decides about a scheme's register: an officer of one of its authorities."""

from dps.kernel.actors import Actor, Role
from dps.kernel.errors import NotFound
from dps.schemes.model import Scheme


def needs_officer(actor: Actor, scheme: Scheme, step: str) -> None:
    """Refuse any other role; to an officer of an authority outside this scheme the scheme does not exist."""
    actor.needs(step, Role.REGISTER_OFFICER)
    if actor.authority is not None and actor.authority not in {authority.key for authority in scheme.authorities}:
        raise NotFound(kind="scheme", ref=scheme.key)
