"""Prices: envelopes, published offers, and the least visit."""

import re
from collections.abc import Iterator

from dps.kernel.errors import meant
from dps.schemes.faults import Fault, fault
from dps.schemes.model import Envelope, Ladder, Locality, Lot, Mode, Term

OFFERED = frozenset({Mode.RANKED_OFFER, Mode.FIRST_ACCEPTANCE, Mode.ACCEPTANCE_WINDOW})
"""Modes in which a provider accepts a price that the scheme has named."""


def floors_are_not_above_ceilings(lots: tuple[Lot, ...]) -> Iterator[Fault]:
    """The floor of an envelope is not above its ceiling, and the ceiling is above nothing."""
    for place, lot in enumerate(lots):
        for nth, envelope in enumerate(lot.envelopes):
            where = ("lots", place, "envelopes", nth)
            if envelope.floor_pence_per_hour > envelope.ceiling_pence_per_hour:
                ceiling = envelope.ceiling_pence_per_hour
                yield fault((*where, "floor_pence_per_hour"), f"the floor is above the ceiling of {ceiling}")
            if not envelope.ceiling_pence_per_hour:
                yield fault((*where, "ceiling_pence_per_hour"), "no price is lawful below a ceiling of nothing")


def one_envelope_applies(lots: tuple[Lot, ...], term: Term, localities: tuple[Locality, ...]) -> Iterator[Fault]:
    """On every day of the term one envelope of a lot applies in each locality, and only one."""
    known = {locality.key for locality in localities}
    for place, lot in enumerate(lots):
        if not any(_is_general(envelope, term) for envelope in lot.envelopes):
            yield fault(("lots", place, "envelopes"), f"none applies everywhere from the term's start on {term.starts}")
        seen: set[tuple[object, str | None]] = set()
        for nth, envelope in enumerate(lot.envelopes):
            where = ("lots", place, "envelopes", nth)
            for zone in envelope.localities or (None,):
                if zone is not None and zone not in known:
                    yield fault((*where, "localities"), f"{zone!r} is no locality of this scheme{meant(zone, known)}")
                if (envelope.starts, zone) in seen:
                    yield fault(
                        (*where, "starts"), "another envelope of this lot starts on the same day, so they overlap"
                    )
                seen.add((envelope.starts, zone))


def offers_have_a_lawful_price(lots: tuple[Lot, ...], ladders: tuple[Ladder, ...]) -> Iterator[Fault]:
    """A lot that a stage offers for acceptance has a published price, within each of its envelopes."""
    for place, lot in enumerate(lots):
        where = ("lots", place, "offer_pence_per_hour")
        offer = lot.offer_pence_per_hour
        stages = [stage for ladder in ladders if lot.key in ladder.lots for stage in ladder.stages]
        offering = next((stage for stage in stages if stage.mode in OFFERED), None)
        if offer is None:
            if offering is not None:
                yield fault(where, f"is missing: stage {offering.key!r} offers this lot at a published price")
            continue
        for envelope in lot.envelopes:
            if not envelope.floor_pence_per_hour <= offer <= envelope.ceiling_pence_per_hour:
                floor, ceiling = envelope.floor_pence_per_hour, envelope.ceiling_pence_per_hour
                yield fault(where, f"{offer} is outside the envelope from {floor} to {ceiling}")


def shorter_visits_are_shorter(lots: tuple[Lot, ...]) -> Iterator[Fault]:
    """A task that may take less than the least visit does take less, and at least five minutes."""
    for place, lot in enumerate(lots):
        for task, minutes in lot.visits.shorter_tasks.items():
            where = ("lots", place, "visits", "shorter_tasks", task)
            if not re.fullmatch(r"[a-z][a-z0-9_]{0,39}", task):
                yield fault(where, "is no task: write it as check_medication")
            if not 5 <= minutes < lot.visits.least_minutes:
                yield fault(where, f"{minutes} is not from 5 to below the least visit of {lot.visits.least_minutes}")


def _is_general(envelope: Envelope, term: Term) -> bool:
    return not envelope.localities and (envelope.starts is None or envelope.starts <= term.starts)
