"""Valid visits, weeks and cards for tests, and strategies that draw them."""

from collections.abc import Set as AbstractSet
from datetime import time

from hypothesis import strategies as st

from dps.kernel.calendar import Weekday
from dps.packages.schedule import Schedule, Visit, VisitKind


def a_visit(
    *,
    days: AbstractSet[Weekday] = frozenset(Weekday),
    window: tuple[time, time] = (time(7, 30), time(9, 30)),
    minutes: int = 30,
    carers: int = 1,
    task: str = "personal_care",
    kind: VisitKind = VisitKind.VISIT,
) -> Visit:
    """Half an hour every morning."""
    return Visit(frozenset(days), *window, minutes=minutes, task=task, carers=carers, kind=kind)


@st.composite
def _visits(draw: st.DrawFn, kinds: st.SearchStrategy[VisitKind]) -> Visit:
    kind = draw(kinds)
    if kind is VisitKind.LIVE_IN:
        start, length = 0, 1440
    else:
        start, length = draw(st.integers(0, 1439)), draw(st.integers(15, 720))
    end = (start + length) % 1440
    return a_visit(
        days=draw(st.frozensets(st.sampled_from(Weekday), min_size=1)),
        window=(time(start // 60, start % 60), time(end // 60, end % 60)),
        minutes=draw(st.sampled_from([15, 20, 30, 45, 60]).filter(lambda minutes: minutes <= length)),
        carers=draw(st.integers(1, 4)),
        task=draw(st.sampled_from(["personal_care", "medication", "meal"])),
        kind=kind,
    )


visits = _visits(st.sampled_from(VisitKind))
schedules = st.lists(visits, min_size=1, max_size=6).map(Schedule.of)
night_schedules = st.lists(
    _visits(st.sampled_from([VisitKind.WAKING_NIGHT, VisitKind.SLEEPING_NIGHT])), min_size=1, max_size=4
).map(Schedule.of)
