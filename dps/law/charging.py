"""Whom the law lets nobody charge for their care, by who pays. Pure.

What a council may charge it decides by its own rules; care under the NHS and after-care of detained patients is free.
Source: National Health Service Act 2006 s. 1(4); Mental Health Act 1983 s. 117 (and R v Manchester ex p Stennett).
"""

FREE_OF_CHARGE = frozenset({"chc", "section_117"})


def is_free_of_charge(funding: str) -> bool:
    """Whether a person whose package is paid for in this way is never charged for any of it."""
    return funding in FREE_OF_CHARGE
