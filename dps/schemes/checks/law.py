"""The scheme as a whole: its keys, its term, its legal basis, its hours, its limits and its demonstration."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta

from dps.kernel.calendar import LONDON
from dps.law.statute import statute
from dps.schemes.faults import Fault, fault, repeated
from dps.schemes.model import Authority, Award, Demo, Hours, Ladder, LegalBasis, Locality, Lot, ProviderList, Term


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
    law = statute()
    begins = law.begins().get(legal_basis)
    if begins is not None and term.starts < begins:
        yield fault(("term", "starts"), f"no {legal_basis} could start before {begins}")
    if legal_basis is LegalBasis.NHS_2013 and not law.nhs_2013.is_in_force(term.starts):
        yield fault(("term", "starts"), f"no {legal_basis} could start from {law.nhs_2013.ends} on")
    if legal_basis is LegalBasis.PCR2015_DPS:
        over = law.regulations_2015.last_day_of_a_system + timedelta(days=1)
        if term.starts >= law.procurement_act.starts:
            reason = f"no DPS under the 2015 regulations could start from {law.procurement_act.starts} on"
            yield fault(("term", "starts"), reason)
        if term.ends is None:
            yield fault(("term", "ends"), "is missing: a DPS under the 2015 regulations has an end date")
        elif term.ends > over:
            yield fault(("term", "ends"), f"no DPS under the 2015 regulations runs on {over} or later")
    if legal_basis is LegalBasis.OPEN_FRAMEWORK:
        years = law.procurement_act.open_framework_years
        if term.ends is None:
            yield fault(("term", "ends"), "is missing: an open framework has an end date")
        elif _lasts_longer_than(years, term.starts, term.ends):
            yield fault(("term", "ends"), f"an open framework lasts at most {years} years")


def reopenings_lie_within_the_term(legal_basis: LegalBasis, term: Term) -> Iterator[Fault]:
    """An open framework alone is reopened, on days of its term, in their order."""
    if term.reopened and legal_basis is not LegalBasis.OPEN_FRAMEWORK:
        yield fault(("term", "reopened"), "only an open framework is reopened")
    for nth, day in enumerate(term.reopened):
        before = term.reopened[nth - 1] if nth else term.starts
        if day <= before or (term.ends is not None and day >= term.ends):
            yield fault(("term", "reopened", nth), f"{day} is not after {before} and within the term")


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
