"""The scheme as a whole: its keys, its term, its legal basis, its hours, its limits and its demonstration."""

from collections.abc import Iterator, Sequence
from datetime import date

from dps.kernel.calendar import LONDON
from dps.schemes.faults import Fault, fault, repeated
from dps.schemes.model import Authority, Award, Demo, Hours, Ladder, LegalBasis, Locality, Lot, ProviderList, Term

PCR_2015 = date(2015, 2, 26)
"""The Public Contracts Regulations 2015 came into force."""
PROCUREMENT_ACT = date(2025, 2, 24)
"""The Procurement Act 2023 came into force: no new DPS, but open frameworks and dynamic markets."""
LAST_DPS_ENDS = date(2029, 2, 24)
"""No DPS of the 2015 regulations outlives 23 February 2029. Source: SI 2024/692, transitional provisions."""
PSR = date(2024, 1, 1)
"""The Health Care Services (Provider Selection Regime) Regulations 2023 came into force."""
OPEN_FRAMEWORK_YEARS = 8
"""Source: Procurement Act 2023, section 49."""

_BEGINS = {
    LegalBasis.PCR2015_DPS: PCR_2015,
    LegalBasis.OPEN_FRAMEWORK: PROCUREMENT_ACT,
    LegalBasis.DYNAMIC_MARKET: PROCUREMENT_ACT,
    LegalBasis.PSR: PSR,
}


def no_key_is_used_twice(
    authorities: tuple[Authority, ...],
    lots: tuple[Lot, ...],
    localities: tuple[Locality, ...],
    lists: tuple[ProviderList, ...],
) -> Iterator[Fault]:
    """No two authorities, lots, localities or lists share a key, and no district belongs to two authorities."""
    named: dict[str, Sequence[Authority | Lot | Locality | ProviderList]] = {
        "authorities": authorities,
        "lots": lots,
        "localities": localities,
        "lists": lists,
    }
    for section, rows in named.items():
        for place, key in repeated([row.key for row in rows]):
            yield fault((section, place, "key"), f"{key!r} is used twice")
    owners: dict[str, str] = {}
    for place, authority in enumerate(authorities):
        for nth, lad in enumerate(authority.lads):
            if lad in owners:
                yield fault(("authorities", place, "lads", nth), f"{lad} belongs to {owners[lad]!r} already")
            owners[lad] = authority.key


def term_ends_after_it_starts(term: Term) -> Iterator[Fault]:
    """A term ends after it starts."""
    if term.ends is not None and term.ends <= term.starts:
        yield fault(("term", "ends"), f"{term.ends} is not after the start on {term.starts}")


def legal_basis_allows_the_term(legal_basis: LegalBasis, term: Term) -> Iterator[Fault]:
    """A DPS and an open framework end, and every legal basis is used only while the law knows it."""
    begins = _BEGINS.get(legal_basis)
    if begins is not None and term.starts < begins:
        yield fault(("term", "starts"), f"no {legal_basis} could start before {begins}")
    if legal_basis is LegalBasis.PCR2015_DPS:
        if term.starts >= PROCUREMENT_ACT:
            yield fault(("term", "starts"), f"no DPS under the 2015 regulations could start from {PROCUREMENT_ACT} on")
        if term.ends is None:
            yield fault(("term", "ends"), "is missing: a DPS under the 2015 regulations has an end date")
        elif term.ends > LAST_DPS_ENDS:
            yield fault(("term", "ends"), f"no DPS under the 2015 regulations runs on {LAST_DPS_ENDS} or later")
    if legal_basis is LegalBasis.OPEN_FRAMEWORK:
        if term.ends is None:
            yield fault(("term", "ends"), "is missing: an open framework has an end date")
        elif _lasts_longer_than(OPEN_FRAMEWORK_YEARS, term.starts, term.ends):
            yield fault(("term", "ends"), f"an open framework lasts at most {OPEN_FRAMEWORK_YEARS} years")


def working_day_has_hours(hours: Hours) -> Iterator[Fault]:
    """The working day closes after it opens."""
    if hours.closes <= hours.opens:
        yield fault(("hours", "closes"), f"{hours.closes:%H:%M} is not after the opening at {hours.opens:%H:%M}")


def approval_limits_are_in_order(award: Award) -> Iterator[Fault]:
    """No award is made without a person that would need two."""
    if award.automatic_to_pence is None or award.second_person_above_pence is None:
        return
    if award.automatic_to_pence > award.second_person_above_pence:
        yield fault(("award", "automatic_to_pence"), "is above second_person_above_pence")


def demonstration_runs_within_the_term(
    demo: Demo | None, term: Term, lots: tuple[Lot, ...], ladders: tuple[Ladder, ...]
) -> Iterator[Fault]:
    """A demonstration starts within the term, and its rate is lawful for every lot that a ladder places."""
    if demo is None:
        return
    day = demo.starts_at.astimezone(LONDON).date()
    if day < term.starts or (term.ends is not None and day >= term.ends):
        yield fault(("demo", "starts_at"), f"{day} is outside the term")
        return
    placed = {key for ladder in ladders for key in ladder.lots}
    for lot in lots:
        general = (one for one in lot.envelopes if not one.localities and (one.starts is None or one.starts <= day))
        if lot.key not in placed or not any(general):
            continue
        envelope = lot.envelope_on(day)
        if not envelope.floor_pence_per_hour <= demo.rate_pence_per_hour <= envelope.ceiling_pence_per_hour:
            yield fault(("demo", "rate_pence_per_hour"), f"{demo.rate_pence_per_hour} is outside lot {lot.key!r}")


def _lasts_longer_than(years: int, starts: date, ends: date) -> bool:
    return (ends.year - starts.year, ends.month, ends.day) > (years, starts.month, starts.day)
