"""Whose resident a person is: an authority buys care for those who live in its own districts.

A locality is a set of postcode districts and sectors, which councils' borders cut; the directory knows the council of
each postcode. Where it does not know, or is not loaded, nobody is turned away.
"""

from sqlmodel import Session

from dps.kernel.errors import BadInput
from dps.places.directory import entry
from dps.places.postcodes import parse
from dps.schemes.model import Authority, Scheme


def refuse_other_council(session: Session, postcode: str, scheme: Scheme, authority: str) -> None:
    """BadInput, naming both councils, if this postcode is known to lie in a district that is not the authority's own.

    An authority that the scheme gives no districts (an NHS body) buys in those of all the scheme's authorities.
    """
    known = entry(session, parse(postcode))
    own = next(body for body in scheme.authorities if body.key == authority)
    buyers = [own] if own.lads else [body for body in scheme.authorities if body.lads]
    lads = {lad for body in buyers for lad in body.lads}
    if known is None or known.lad_code is None or not lads or known.lad_code in lads:
        return
    reason = f"this postcode lies in {_named(known.lad_code, scheme)}, not in {' or '.join(map(_with_codes, buyers))}"
    raise BadInput(reason, field="postcode", lad=known.lad_code)


def _named(lad: str, scheme: Scheme) -> str:
    other = next((body.name for body in scheme.authorities if lad in body.lads), None)
    return f"{other} ({lad})" if other else f"the district {lad}"


def _with_codes(body: Authority) -> str:
    return f"{body.name} ({', '.join(body.lads)})"
