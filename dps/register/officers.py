"""Who decides about a scheme's register, and is told what waits there: an officer of one of its authorities."""

from collections.abc import Iterable
from datetime import datetime

from sqlmodel import Session

from dps.kernel.actors import Actor, Role
from dps.kernel.errors import NotFound
from dps.kernel.outbox import post
from dps.kernel.ports import Ports
from dps.schemes.model import Scheme


def needs_officer(actor: Actor, scheme: Scheme, step: str) -> None:
    """Refuse any other role; to an officer of an authority outside this scheme the scheme does not exist."""
    actor.needs(step, Role.REGISTER_OFFICER)
    if actor.authority is not None and actor.authority not in {authority.key for authority in scheme.authorities}:
        raise NotFound(kind="scheme", ref=scheme.key)


def tell_officers(
    session: Session, ports: Ports, schemes: Iterable[Scheme], *, kind: str, about: str, now: datetime
) -> None:
    """One message to each authority of these schemes, however many of them it shares; its officers read it."""
    for authority in sorted({one.key for scheme in schemes for one in scheme.authorities}):
        post(session, ports.entropy, recipient=f"authority:{authority}", kind=kind, about=about, now=now)
