"""A synthetic market, drawn from public facts and a seed: who provides, who needs care, and how much of it.

Shapes come from the councils' own papers and published figures: weekly hours are log-normal around a median of 8.3
(Kingston), most visits last 30 minutes and some are short (UKHCA, Access Group), capacity falls short of demand, and
rates spread by about 6% around the scheme's own. All names are made up and say so.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

import numpy as np

from dps.kernel.calendar import LONDON
from dps.kernel.money import round_half_up
from dps.packages.schedule import Schedule, parse_schedule
from dps.schemes.model import Demo, Lot, Rating, Scheme, Stage, Urgency
from web.demo.provider import SyntheticProvider
from web.demo.seating import seated

_MEDIAN_HOURS = 8.3
_MEAN_HOURS = 13.06
_SIGMA_HOURS = 0.955
_URGENCY = ((Urgency.STANDARD, 0.56), (Urgency.URGENT, 0.22), (Urgency.DISCHARGE, 0.18), (Urgency.CRISIS, 0.04))
_RATINGS = (
    (Rating.GOOD, 0.52),
    (Rating.NOT_RATED, 0.37),
    (Rating.REQUIRES_IMPROVEMENT, 0.085),
    (Rating.OUTSTANDING, 0.015),
    (Rating.INADEQUATE, 0.01),
)
_FLAGS = (("smoker", 0.16), ("pets", 0.25), ("equipment", 0.18), ("behaviour", 0.07), ("parking", 0.12))
ALL_FLAGS = tuple(flag for flag, _ in _FLAGS)
_WINDOWS = (("07:00", "10:00"), ("12:00", "14:00"), ("16:00", "18:30"), ("19:30", "22:00"))
_TASKS = ("personal_care", "meal", "personal_care", "personal_care")
_DOUBLE_HANDED = 0.11
DAYS_TO_START = {Urgency.STANDARD: 5, Urgency.URGENT: 3, Urgency.DISCHARGE: 2, Urgency.CRISIS: 1}


@dataclass(frozen=True, slots=True)
class Place:
    """One postcode of the loaded directory: where a synthetic person lives."""

    postcode: str
    sector: str
    locality: str
    lad: str | None


@dataclass(frozen=True, slots=True)
class SyntheticNeed:
    """One made-up person's package, and when it reaches the brokers."""

    number: int
    arrives_at: datetime
    place: Place
    authority: str
    lot: str
    urgency: Urgency
    schedule: Schedule
    born: date
    flags: tuple[str, ...]
    earliest_start: date
    latest_start: date
    budget_pence: int | None


@dataclass(frozen=True, slots=True)
class Market:
    """One council's market; `lead` is the provider whose subcontractors those without a place are.

    `drawn` are the same providers before the shapes of the scheme's lists gave them their places.
    """

    scheme: Scheme
    providers: tuple[SyntheticProvider, ...]
    needs: tuple[SyntheticNeed, ...]
    lead: int | None = None
    drawn: tuple[SyntheticProvider, ...] = ()


def twins(scheme: Scheme, scale: int) -> tuple[Scheme, ...]:
    """`scale` councils under the same rules: the scheme itself, then synthetic twins of it.

    Each twin is a scheme with authorities, localities, closings and a market of its own, so that its "whole city" stays
    one city and a closing stays a day's size. One installation serves them all, as it serves several councils in life.
    """
    return (scheme, *(_twin(scheme, number) for number in range(2, scale + 1)))


def _twin(scheme: Scheme, number: int) -> Scheme:
    authorities = tuple(
        authority.model_copy(
            update={"key": f"{authority.key}-{number}", "name": f"{authority.name} (synthetic twin {number})"}
        )
        for authority in scheme.authorities
    )
    key, name = f"{scheme.key}-{number}", f"{scheme.name} (synthetic twin {number})"
    return scheme.model_copy(update={"key": key, "name": name, "authorities": authorities})


def draw(
    scheme: Scheme,
    places: Mapping[str, Sequence[Place]],
    centres: Mapping[str, tuple[float, float]],
    *,
    seed: int,
    number: int = 1,
) -> Market:
    """Draw the market of council `number` of so many twins, the same whatever their number.

    `places` are real postcodes by locality, `centres` the localities' middles in km. People and providers are numbered
    on from those of the councils before, so that no two bear the same name.
    """
    assert scheme.demo is not None
    rng, keys, weights = _begun(scheme, places, seed, number)
    monday, before = scheme.demo.starts_at, scheme.demo.referrals * (number - 1)
    needs = _needs(scheme, places, keys, weights, rng, monday=monday, before=before, referrals=scheme.demo.referrals)
    demand = sum(need.schedule.weekly_minutes for need in needs)
    before = scheme.demo.providers * (number - 1)
    drawn = _providers(scheme, places, centres, keys, weights, rng, demand=demand, before=before)
    seating = seated(scheme, drawn, ALL_FLAGS)
    return Market(scheme=scheme, providers=seating.providers, needs=needs, lead=seating.lead, drawn=drawn)


def draw_year(
    scheme: Scheme,
    places: Mapping[str, Sequence[Place]],
    centres: Mapping[str, tuple[float, float]],
    *,
    seed: int,
    weeks: int,
) -> Market:
    """The demonstration's market with the needs of so many weeks; its first week is the demonstration's own.

    Each later week brings as many people as its season does.
    """
    assert scheme.demo is not None
    first = draw(scheme, places, centres, seed=seed)
    _, keys, weights = _begun(scheme, places, seed, 1)
    needs = list(first.needs)
    for week in range(1, weeks):
        rng = np.random.default_rng([seed, 1, week])
        monday = weeks_later(scheme.demo.starts_at, week)
        referrals = in_season(scheme.demo, monday)
        needs += _needs(scheme, places, keys, weights, rng, monday=monday, before=len(needs), referrals=referrals)
    return replace(first, needs=tuple(needs))


def in_season(demo: Demo, monday: datetime) -> int:
    """How many people are referred in the week of this Monday: those of the first week, more or fewer by its month."""
    if demo.month_percents is None:
        return demo.referrals
    of_week, of_first = (demo.month_percents[at.astimezone(LONDON).month - 1] for at in (monday, demo.starts_at))
    return round_half_up(demo.referrals * of_week, of_first)


def weeks_later(instant: datetime, weeks: int) -> datetime:
    """The same weekday and time on the wall, so many weeks on."""
    return days_later(instant, 7 * weeks)


def days_later(instant: datetime, days: int) -> datetime:
    """The same time on the wall, so many days on, whatever the clocks do in between."""
    return (instant.astimezone(LONDON) + timedelta(days=days)).astimezone(UTC)


def _begun(
    scheme: Scheme, places: Mapping[str, Sequence[Place]], seed: int, number: int
) -> tuple[np.random.Generator, list[str], np.ndarray]:
    """The generator of one council's market, its localities, and the share of people that lives in each."""
    rng = np.random.default_rng([seed, number])
    keys = [locality.key for locality in scheme.localities if places.get(locality.key)]
    return rng, keys, rng.dirichlet(np.full(len(keys), 4.0))


def _pick(rng: np.random.Generator, choices: Sequence[tuple[object, float]]) -> int:
    shares = np.array([share for _, share in choices])
    return int(rng.choice(len(choices), p=shares / shares.sum()))


# Needs


def _needs(
    scheme: Scheme,
    places: Mapping[str, Sequence[Place]],
    keys: Sequence[str],
    weights: np.ndarray,
    rng: np.random.Generator,
    *,
    monday: datetime,
    before: int,
    referrals: int,
) -> tuple[SyntheticNeed, ...]:
    assert scheme.demo is not None
    instants = sorted(
        monday + timedelta(days=int(rng.integers(0, 5)), minutes=int(rng.integers(5, 9 * 60))) for _ in range(referrals)
    )
    homes = {key: _bought_for(scheme, places[key]) for key in keys}
    found = []
    for number, arrives_at in enumerate(instants, start=before + 1):
        key = keys[int(rng.choice(len(keys), p=weights))]
        place = homes[key][int(rng.integers(0, len(homes[key])))]
        urgency = _URGENCY[_pick(rng, _URGENCY)][0]
        lot = scheme.lots[_lot(rng, len(scheme.lots))]
        today = arrives_at.astimezone(LONDON).date()
        soon = DAYS_TO_START[urgency]
        schedule = _schedule(lot, _MEDIAN_HOURS * scheme.demo.weekly_hours / _MEAN_HOURS, rng)
        found.append(
            SyntheticNeed(
                number=number,
                arrives_at=arrives_at,
                place=place,
                authority=_authority(scheme, place),
                lot=lot.key,
                urgency=urgency,
                schedule=schedule,
                born=date(today.year - int(rng.integers(66, 96)), int(rng.integers(1, 13)), int(rng.integers(1, 28))),
                flags=tuple(flag for flag, share in _FLAGS if rng.random() < share),
                earliest_start=today + timedelta(days=soon),
                latest_start=today + timedelta(days=soon + 7),
                budget_pence=schedule.weekly_minutes * 30 * lot.budget_weeks if lot.sets_budget else None,
            )
        )
    return tuple(found)


def _lot(rng: np.random.Generator, count: int) -> int:
    """The first lot is asked for most."""
    shares = np.array([0.7] + [0.3 / (count - 1)] * (count - 1)) if count > 1 else np.array([1.0])
    return int(rng.choice(count, p=shares))


def _bought_for(scheme: Scheme, places: Sequence[Place]) -> Sequence[Place]:
    """Of a locality that a council's border cuts, the part that one of the scheme's authorities buys for."""
    lads = {lad for authority in scheme.authorities for lad in authority.lads}
    return [place for place in places if place.lad is None or place.lad in lads] or places


def _authority(scheme: Scheme, place: Place) -> str:
    """Whose person it is: the authority in whose district the postcode lies, else the first."""
    for authority in scheme.authorities:
        if place.lad in authority.lads:
            return authority.key
    return scheme.authorities[0].key


def _schedule(lot: Lot, median_hours: float, rng: np.random.Generator) -> Schedule:
    """Visits that come to about the drawn weekly hours, no shorter than the lot allows."""
    hours = float(np.clip(rng.lognormal(np.log(median_hours), _SIGMA_HOURS), 1.5, 42.0))
    carers = 2 if rng.random() < _DOUBLE_HANDED else 1
    every_day = hours > 4 or rng.random() < 0.5
    days, name = (7, "Mon-Sun") if every_day else (3, "Mon,Wed,Fri")
    least = lot.visits.least_minutes
    minutes_a_day = hours * 60 / days / carers
    visits = int(np.clip(round(minutes_a_day / 38), 1, 4))
    lines = []
    for number in sorted(rng.choice(4, size=visits, replace=False)):
        length = int(np.clip(round(minutes_a_day / visits / 15) * 15, max(least, 30), 60))
        if number == 1 and visits > 1 and rng.random() < 0.14:
            length = lot.visits.shorter_tasks.get("medication", max(least, 15))
            task = "medication"
        else:
            task = _TASKS[number]
        start, end = _WINDOWS[number]
        lines.append(f"{name} {start}-{end} {length}m x{carers} {task}")
    return parse_schedule("; ".join(lines))


# Providers


def _providers(
    scheme: Scheme,
    places: Mapping[str, Sequence[Place]],
    centres: Mapping[str, tuple[float, float]],
    keys: Sequence[str],
    weights: np.ndarray,
    rng: np.random.Generator,
    *,
    demand: int,
    before: int,
) -> tuple[SyntheticProvider, ...]:
    assert scheme.demo is not None
    count = scheme.demo.providers
    sizes = rng.lognormal(0, 0.8, count)
    capacity = demand * scheme.demo.capacity_percent // 100
    lists = asked_lists(scheme)
    found = []
    for number in range(count):
        home = keys[int(rng.choice(len(keys), p=weights))]
        place = places[home][int(rng.integers(0, len(places[home])))]
        near = _nearest(home, keys, centres)[: int(rng.integers(3, max(4, len(keys) // 2 + 1)))]
        held = _lists(lists, number, rng)
        minutes = max(int(sizes[number] / sizes.sum() * capacity), 6 * 60)
        rate = round(scheme.demo.rate_pence_per_hour * float(rng.normal(1.0, 0.06)))
        found.append(
            SyntheticProvider(
                name=f"Synthetic Care {before + number + 1:03d}",
                home=home,
                sector=place.sector,
                lad=place.lad or scheme.authorities[0].lads[0],
                lists=held,
                localities=tuple(near),
                lots=tuple(lot.key for index, lot in enumerate(scheme.lots) if index == 0 or rng.random() < 0.75),
                rating=_RATINGS[_pick(rng, _RATINGS)][0],
                flags=tuple(flag for flag, _ in _FLAGS if rng.random() < 0.85),
                most_carers=2 if rng.random() < 0.85 else 1,
                minutes=minutes,
                max_packages=int(rng.integers(3, 9)) if rng.random() < 0.3 else None,
                rate_pence_per_hour=rate,
            )
        )
    return tuple(found)


def _nearest(home: str, keys: Sequence[str], centres: Mapping[str, tuple[float, float]]) -> list[str]:
    """The other localities by distance from home, home first; ties in the scheme's order."""
    here = np.array(centres[home])
    return sorted(keys, key=lambda key: (key != home, float(np.hypot(*(np.array(centres[key]) - here)))))


def asked_lists(scheme: Scheme) -> list[str]:
    """The lists that ladders ask: the narrow ones in order of their first turn, then the one that everybody is on.

    That is the list which the first ladder's last stage asks last: who is asked at the end is everybody there is.
    """
    stages: list[Stage] = [stage for ladder in scheme.ladders for stage in ladder.stages]
    everybody = scheme.ladders[0].stages[-1].lists[-1]
    asked = dict.fromkeys(key for stage in stages for key in stage.lists)
    return [*(key for key in asked if key != everybody), everybody]


def _lists(lists: Sequence[str], number: int, rng: np.random.Generator) -> tuple[str, ...]:
    """Everybody is on the last list, and about three in ten on the narrow ones before it too."""
    if len(lists) == 1:
        return (lists[0],)
    is_on_all = number % 10 < 3 or rng.random() < 0.05
    return tuple(lists) if is_on_all else (lists[-1],)
