"""What the pages of the register share: the schemes that an officer answers for."""

from sqlmodel import Session

from dps.kernel.errors import BadInput, NotAdmitted, NotFound, RuleNotMet
from dps.register import desk
from dps.register.providers import Provider
from dps.schemes.model import Scheme
from web.pages.visit import Visit


def own_keys(session: Session, visit: Visit) -> list[str]:
    """The keys of the schemes that the officer's authority buys under."""
    return [scheme.key for scheme in visit.schemes(session)]


def own_scheme(session: Session, visit: Visit, key: str) -> Scheme:
    """One of these schemes; NotFound for any other."""
    found = next((scheme for scheme in visit.schemes(session) if scheme.key == key), None)
    if found is None:
        raise NotFound(kind="scheme", ref=key)
    return found


def own_matter(session: Session, visit: Visit, provider_ref: str, scheme_key: str) -> tuple[Provider, Scheme]:
    """A provider that the officer may see, and one of the officer's schemes; NotFound for any other."""
    provider = desk.provider_seen(session, provider_ref, own_keys(session, visit), actor=visit.actor)
    return provider, own_scheme(session, visit, scheme_key)


def faults_of(refused: BadInput | NotAdmitted | RuleNotMet) -> dict[str, str]:
    """What is said beside a field of a form about places, by field."""
    if isinstance(refused, NotAdmitted):
        return {"places": "the provider holds no place on what is ticked"}
    if isinstance(refused, RuleNotMet):
        return {"places": str(refused.reason)}
    return {str(refused.field): str(refused.reason)}
