"""The ground that both rule sets are played on: one council's people, places, services and prices.

Rules written for another council are put on this ground: their lists, ladders, closings, evaluation, allocation, ties
and clocks stay, while buyers, localities, services and prices are those of the ground. What was translated is said.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from dps.kernel.calendar import LONDON
from dps.kernel.errors import BadInput
from dps.places.localities import districts_of
from dps.places.packaged import read
from dps.schemes.model import Blocks, Demo, Ladder, Lot, Mode, Scheme
from web.demo.homes import Spot, homes, middles
from web.demo.market import Market, Place, draw_year

SETTLING = timedelta(days=2)
"""How long after the last week's end what is under way may still come to its end."""


@dataclass(frozen=True, slots=True)
class Ground:
    """Real postcodes by locality, and the localities' middles in kilometres."""

    places: Mapping[str, Sequence[Place]]
    centres: Mapping[str, tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Rules:
    """One rule set as it is played: `scheme` stands on the ground, `notes` say what was translated to get there."""

    name: str
    scheme: Scheme
    notes: tuple[str, ...]


def ground_of(scheme: Scheme) -> Ground:
    """Read the scheme's districts from the packaged directory; no database is asked."""
    units = read(districts_of(scheme.localities)).units
    spots = [Spot(unit.postcode, unit.sector, unit.lad_code, unit.easting, unit.northing) for unit in units]
    places = homes(scheme, spots)
    return Ground(places, middles(places, spots))


def playable(scheme: Scheme, *, weeks: int, referrals: int | None = None, providers: int | None = None) -> Scheme:
    """The scheme with its market at this size; BadInput where it has none, or where its term is too short."""
    if scheme.demo is None:
        raise BadInput(
            f"{scheme.key} has no [demo] section, which says when and at what size it is played", field="demo"
        )
    sizes = {"referrals": referrals, "providers": providers}
    demo = scheme.demo.model_copy(update={key: value for key, value in sizes.items() if value is not None})
    _refuse_beyond_term(scheme, demo, weeks)
    refuse_person_only(scheme)
    return scheme.model_copy(update={"demo": demo})


def _refuse_beyond_term(scheme: Scheme, demo: Demo, weeks: int) -> None:
    ends = scheme.term.ends
    if ends is None:
        return
    begins = demo.starts_at.astimezone(LONDON).date()
    most = max((ends - begins - SETTLING).days // 7, 0)
    if weeks > most:
        raise BadInput(
            f"{scheme.key} begins its demonstration on {begins:%-d %B %Y} and its term ends on {ends:%-d %B %Y}: "
            f"at most {most} weeks can be played. Ask for fewer, or edit demo.starts_at in a copy of the file",
            field="--weeks",
        )


def refuse_person_only(scheme: Scheme) -> None:
    """BadInput where a ladder waits for a person's decision, which nobody can draw."""
    for ladder in scheme.ladders:
        for stage in ladder.stages:
            if stage.mode is Mode.DIRECT_AWARD:
                raise BadInput(
                    f"stage {stage.key} of {scheme.key} awards directly, which a person decides: it can't be played",
                    field="ladders.stages.mode",
                )


def market_of(scheme: Scheme, ground: Ground, *, seed: int, weeks: int) -> Market:
    """The providers and the people of so many weeks; the first week is that of `dps demo` with the same seed."""
    return draw_year(scheme, ground.places, ground.centres, seed=seed, weeks=weeks)


def put_on(rules: Scheme, ground: Scheme) -> Rules:
    """These rules on that council's ground; with prices of their own where they stand there already."""
    same = {"nation": ground.nation, "authorities": ground.authorities, "term": ground.term, "demo": ground.demo}
    if rules.localities == ground.localities and {lot.key for lot in ground.lots} <= {lot.key for lot in rules.lots}:
        return Rules(rules.key, rules.model_copy(update=same), ())
    known = {lot.key: lot for lot in rules.lots}
    stand_in = rules.lots[0]
    treated = {lot.key: known.get(lot.key, stand_in) for lot in ground.lots}
    lots = tuple(_placed(lot, treated[lot.key], ground.demo) for lot in ground.lots)
    notes = [
        f"The rules of {rules.key} are played on the ground of {ground.key}: its buyers, people, places and prices."
    ]
    strange = [lot.name for lot in ground.lots if lot.key not in known]
    if strange:
        notes.append(f"{rules.key} does not buy {', '.join(strange)}: treated as its {stand_in.name}.")
    placed = rules.model_copy(
        update=same
        | {
            "bordering_lads": ground.bordering_lads,
            "localities": ground.localities,
            "lots": lots,
            "ladders": _ladders(rules, {key: lot.key for key, lot in treated.items()}),
            "blocks": _blocks(rules, treated),
            "payments": (),
            "area_contracts": (),
            "custody": None,
            "enablement": None,
            "follow_ups": (),
            "indicators": (),
        }
    )
    return Rules(rules.key, placed, tuple(notes))


def _placed(lot: Lot, treated_as: Lot, demo: Demo | None) -> Lot:
    """A lot of the ground at the ground's prices, handled as the rules handle theirs.

    Where the rules offer at a published price and the ground has none, it is the usual rate of the ground's market.
    """
    general = next(envelope for envelope in lot.envelopes if not envelope.localities)
    price = lot.offer_pence_per_hour
    if price is None and treated_as.offer_pence_per_hour is not None:
        floor, ceiling = general.floor_pence_per_hour, general.ceiling_pence_per_hour
        usual = demo.rate_pence_per_hour if demo else treated_as.offer_pence_per_hour
        price = min(max(usual, floor), ceiling)
    return lot.model_copy(
        update={
            "offer_pence_per_hour": price,
            "sets_budget": treated_as.sets_budget,
            "budget_weeks": treated_as.budget_weeks,
        }
    )


def _blocks(rules: Scheme, treated: Mapping[str, Lot]) -> Blocks | None:
    """Hours are bought in blocks for the ground's lots that are handled as one for which the rules do."""
    if rules.blocks is None:
        return None
    lots = tuple(key for key, treated_as in treated.items() if treated_as.key in rules.blocks.lots)
    return Blocks(lots=lots) if lots else None


def _ladders(rules: Scheme, treated: Mapping[str, str]) -> tuple[Ladder, ...]:
    """Each ladder for the ground's lots that are handled as one of its own; those left with none fall away."""
    found = []
    for ladder in rules.ladders:
        lots = tuple(key for key, treated_as in treated.items() if treated_as in ladder.lots)
        if lots:
            found.append(ladder.model_copy(update={"lots": lots}))
    return tuple(found)
