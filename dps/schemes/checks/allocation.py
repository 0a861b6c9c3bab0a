"""Allocation: a joint one weighs only what is priced and published."""

from collections.abc import Iterator

from dps.kernel.errors import meant
from dps.schemes.faults import Fault, fault, listed, repeated
from dps.schemes.model import Allocation, AllocationMode, Terms, Urgency

URGENCY_TERMS = ("start_delay_pence_per_day", "waited_pence_per_day", "unplaced_pence_per_hour")


def terms_are_whole(allocation: Allocation) -> Iterator[Fault]:
    """A term by urgency names every urgency, and coverage has both a price and a target."""
    terms = allocation.terms
    for name in URGENCY_TERMS:
        missing = [urgency for urgency in Urgency if urgency not in (getattr(terms, name) or Urgency)]
        if missing:
            yield fault(("allocation", "terms", name), f"says nothing of {listed(missing)}")
    if (terms.coverage_pence is None) is not (terms.coverage_target is None):
        missing_half = "coverage_pence" if terms.coverage_pence is None else "coverage_target"
        yield fault(("allocation", "terms", missing_half), "is missing: coverage needs a price and a target")
    if terms.locality_share_cap_percent == 0:
        yield fault(("allocation", "terms", "locality_share_cap_percent"), "a cap of nothing would place nobody")


def joint_terms_are_published_and_priced(allocation: Allocation) -> Iterator[Fault]:
    """A joint allocation publishes every term that it weighs, and prices every term that it publishes."""
    known = list(Terms.model_fields)
    for place, name in repeated(allocation.published):
        yield fault(("allocation", "published", place), f"{name!r} is named twice")
    for place, name in enumerate(allocation.published):
        if name not in known:
            yield fault(("allocation", "published", place), f"{name!r} is no term{meant(name, known)}")
        elif getattr(allocation.terms, name) is None:
            yield fault(("allocation", "terms", name), "is published, but has no price")
    if allocation.mode is not AllocationMode.JOINT:
        return
    for name in known:
        if getattr(allocation.terms, name) is not None and name not in allocation.published:
            yield fault(("allocation", "terms", name), "is weighed by a joint allocation, but not published")
    if allocation.terms.unplaced_pence_per_hour is None and "unplaced_pence_per_hour" not in allocation.published:
        where = ("allocation", "terms", "unplaced_pence_per_hour")
        yield fault(where, "is missing: a joint allocation says what it costs to leave somebody unplaced")
    if allocation.joint_as_advice:
        yield fault(("allocation", "joint_as_advice"), "a joint allocation needs no advice from itself")


def per_package_weighs_no_terms(allocation: Allocation) -> Iterator[Fault]:
    """A per-package allocation has terms only for the joint answer it shows as advice, which prices the unplaced."""
    if allocation.mode is not AllocationMode.PER_PACKAGE:
        return
    if allocation.joint_as_advice and allocation.terms.unplaced_pence_per_hour is None:
        where = ("allocation", "terms", "unplaced_pence_per_hour")
        yield fault(where, "is missing: a joint answer says what it costs to leave somebody unplaced")
    if allocation.joint_as_advice:
        return
    for name in Terms.model_fields:
        if getattr(allocation.terms, name) is not None:
            yield fault(("allocation", "terms", name), "is weighed by nothing: packages are awarded one by one")
