"""Under which regulations one package is bought: the scheme's for the council's money, the NHS's for the NHS's.

A jointly funded package may be bought under either; somebody chooses, and until then it is not published. Pure.
"""

from datetime import date

from dps.law.statute import statute
from dps.schemes.vocabulary import LegalBasis

NHS = "chc"
JOINT = "joint"
NHS_BASES = (LegalBasis.NHS_2013, LegalBasis.PSR)


def nhs_basis(day: date) -> LegalBasis:
    """What governs the purchase of health care on this day."""
    return LegalBasis.PSR if statute().provider_selection.is_in_force(day) else LegalBasis.NHS_2013


def bases_allowed(funding: str, scheme_basis: LegalBasis, day: date) -> tuple[LegalBasis, ...]:
    """The bases under which a package of this funding may be bought on this day; the first of one is what it is."""
    if funding == NHS:
        return (nhs_basis(day),)
    if funding == JOINT:
        return tuple(dict.fromkeys((scheme_basis, nhs_basis(day))))
    return (scheme_basis,)


def basis_of(funding: str, chosen: LegalBasis | None, scheme_basis: LegalBasis, day: date) -> LegalBasis | None:
    """The basis of a package: its only one, or the one chosen of several; None while that is open."""
    allowed = bases_allowed(funding, scheme_basis, day)
    if len(allowed) == 1:
        return allowed[0]
    return chosen if chosen in allowed else None
