"""What `dps allocate` says of an answer: the award, a second one after something fell away, a caseload, the reasons."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from matching.allocation import Result
from matching.allocation.again import Change, SecondAnswer
from matching.allocation.rebrokering import Handover

if TYPE_CHECKING:
    # The compiler takes seconds to load: only who asks for reasons waits for it.
    from matching.allocation.explaining import Explanation, PackageStory


def of_award(result: Result) -> Iterator[str]:
    """The award in one line, then who is left and why, and what else is worth knowing."""
    report = result.report
    gap = "not known" if result.gap is None else f"{result.gap:.2%}"
    yield (
        f"{result.status}: {report.placed} placed, {report.unplaced} not ({report.unplaced_minutes / 60:,.1f} hours), "
        f"£{result.objective_pence / 100:,.2f} a week, gap {gap}, {result.seconds:.1f} s"
    )
    for package in result.unplaced:
        yield f"{package.package}: {package.words}"
    yield from (*(fault.words for fault in report.gave_way), *result.notes)


def of_second(second: SecondAnswer) -> Iterator[str]:
    """The steady answer and its changes; the cold one beside it."""
    yield from of_award(second.steady)
    yield f"Changed: {_packages(len(second.changes))}." if second.changes else "Nothing changed."
    yield from map(_changed, second.changes)
    report = second.cold.report
    yield (
        f"Started afresh, for comparison: {report.placed} placed, {report.unplaced} not, "
        f"£{second.cold.objective_pence / 100:,.2f} a week; it would change {_packages(len(second.cold_changes))}."
    )


def _changed(change: Change) -> str:
    return f"{change.package}: {change.before or 'nobody'} → {change.after or 'nobody'}; {change.why}"


def of_handover(handover: Handover) -> Iterator[str]:
    """Where a caseload goes, and who stays with whom they know."""
    yield from of_award(handover.result)
    yield f"With a provider they know: {', '.join(handover.kept) or 'nobody'}."
    if handover.strange:
        yield f"Moved away from whom they know: {', '.join(handover.strange)}."


def of_reasons(told: "Explanation") -> Iterator[str]:
    """Every package's story, then every provider's; whoever reads this may see prices."""
    for story in told.packages:
        yield f"{story.package}: {story.words}{_price(story)}"
    for provider in told.providers:
        more = provider.more_but_for_own_limit
        yield (
            f"{provider.provider}: {_packages(provider.won)}, {provider.minutes / 60:,.1f} hours"
            f"{f', {more} more but for its own limits' if more else ''}; "
            f"an hour more would be worth £{provider.hour_pence / 100:,.2f} a week."
        )


def _price(story: "PackageStory") -> str:
    """Both ends of what the other award would cost more."""
    if story.at_least_pence is None:
        return ""
    at_most = "" if story.at_most_pence is None else f", at most £{story.at_most_pence / 100:,.2f}"
    return f" The other award: at least £{story.at_least_pence / 100:,.2f}{at_most} more a week."


def _packages(count: int) -> str:
    return f"{count} package{'' if count == 1 else 's'}"
