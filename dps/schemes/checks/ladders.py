"""Ladders: every referral finds one, and every stage of it can be played by published rules."""

from collections.abc import Iterator

from dps.kernel.errors import meant
from dps.schemes.faults import Fault, Location, fault, listed, repeated
from dps.schemes.model import (
    Admission,
    Award,
    Closings,
    DirectAward,
    Ladder,
    Locality,
    Lot,
    Mode,
    ProviderList,
    Reach,
    Stage,
    Urgency,
)

GATHERED = frozenset({Mode.SEALED_BID, Mode.ACCEPTANCE_WINDOW})
"""Modes that are decided when their window ends: the only ones that can share a published closing."""


def stages_ask_known_published_lists(ladders: tuple[Ladder, ...], lists: tuple[ProviderList, ...]) -> Iterator[Fault]:
    """A stage asks lists that the scheme has published, and no two stages of a ladder share a key."""
    published = {one.key: one.published for one in lists}
    for place, ladder in enumerate(ladders):
        for nth, key in repeated([stage.key for stage in ladder.stages]):
            yield fault(("ladders", place, "stages", nth, "key"), f"{key!r} is used twice in this ladder")
    for where, stage in _stages(ladders):
        for nth, key in enumerate(stage.lists):
            if key not in published:
                yield fault((*where, "lists", nth), f"{key!r} is no list of this scheme{meant(key, published)}")
            elif not published[key]:
                yield fault((*where, "lists", nth), f"list {key!r} is not published: a staged list must be")


def every_lot_and_urgency_has_one_ladder(ladders: tuple[Ladder, ...], lots: tuple[Lot, ...]) -> Iterator[Fault]:
    """Each lot has exactly one ladder for each urgency."""
    known = {lot.key for lot in lots}
    first: dict[tuple[str, Urgency], int] = {}
    for place, ladder in enumerate(ladders):
        for nth, key in enumerate(ladder.lots):
            if key not in known:
                yield fault(("ladders", place, "lots", nth), f"{key!r} is no lot of this scheme{meant(key, known)}")
        for pair in ((lot, urgency) for lot in ladder.lots for urgency in ladder.urgencies):
            if pair in first:
                yield fault(
                    ("ladders", place), f"lot {pair[0]!r}, {pair[1]}: ladders[{first[pair]}] is for them already"
                )
            first.setdefault(pair, place)
    for lot in lots:
        missing = [urgency for urgency in Urgency if (lot.key, urgency) not in first]
        if missing:
            yield fault(("ladders",), f"lot {lot.key!r} has no ladder for {listed(missing)}")


def speed_decides_in_a_crisis_only(ladders: tuple[Ladder, ...], direct_award: DirectAward) -> Iterator[Fault]:
    """The first acceptance wins in a crisis only, unless the stage permits it, and a direct award has its reasons."""
    for place, ladder in enumerate(ladders):
        for nth, stage in enumerate(ladder.stages):
            where = ("ladders", place, "stages", nth)
            is_calm = any(urgency is not Urgency.CRISIS for urgency in ladder.urgencies)
            if stage.mode is Mode.FIRST_ACCEPTANCE and is_calm and not stage.speed_permitted:
                reason = "speed decides in a crisis only: use acceptance_window, or say speed_permitted = true"
                yield fault((*where, "mode"), reason)
            if stage.speed_permitted and not (stage.mode is Mode.FIRST_ACCEPTANCE and is_calm):
                yield fault((*where, "speed_permitted"), "permits nothing here")
            if stage.mode is Mode.DIRECT_AWARD and not direct_award.reasons:
                yield fault((*where, "mode"), "a direct award needs a reason, and direct_award.reasons names none")


def published_closings_are_published(ladders: tuple[Ladder, ...], closings: Closings) -> Iterator[Fault]:
    """A stage waits for a published closing only if there is one and its mode is decided at the window's end."""
    for where, stage in _stages(ladders):
        if stage.closing != "published":
            continue
        if not closings.times:
            yield fault((*where, "closing"), "waits for a published closing, but closings.times names none")
        if stage.mode not in GATHERED:
            yield fault((*where, "closing"), f"{stage.mode} does not wait for a closing")
    for nth, (earlier, later) in enumerate(zip(closings.times, closings.times[1:], strict=False)):
        if later <= earlier:
            yield fault(("closings", "times", nth + 1), f"{later:%H:%M} is not after {earlier:%H:%M}")


def every_reach_leads_somewhere(
    ladders: tuple[Ladder, ...],
    localities: tuple[Locality, ...],
    bordering_lads: tuple[str, ...],
    admission: Admission,
) -> Iterator[Fault]:
    """A stage reaches neighbours that are stated, or across a border where the base counts and the border is stated."""
    alone = [locality.key for locality in localities if not locality.neighbours]
    for where, stage in _stages(ladders):
        if stage.reach is Reach.NEIGHBOURS and alone:
            yield fault((*where, "reach"), f"no neighbours are stated for {listed(alone)}")
        if stage.reach is Reach.BORDER and not bordering_lads:
            yield fault((*where, "reach"), "bordering_lads names no district across the border")
        if stage.reach is Reach.BORDER and not admission.base_asked:
            yield fault((*where, "reach"), "no base is asked (admission.base_asked), so no border keeps anybody out")


def every_urgency_has_an_acceptance_window(award: Award) -> Iterator[Fault]:
    """For each urgency it is said how long a provider may think an offer over."""
    for urgency in Urgency:
        if urgency not in award.acceptance:
            yield fault(("award", "acceptance", urgency), "is missing")


def _stages(ladders: tuple[Ladder, ...]) -> Iterator[tuple[Location, Stage]]:
    for place, ladder in enumerate(ladders):
        for nth, stage in enumerate(ladder.stages):
            yield ("ladders", place, "stages", nth), stage
