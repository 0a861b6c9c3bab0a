"""When a letter leaves, by its reader's own choice: at once, in a digest, or not at all; and never in quiet hours.

Pure. What an award hangs on is never held back and never left out: an offer that runs out goes to the next. What closes
before a held letter would leave goes at once, because it would come too late.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from typing import Any, Self

from dps.kernel.calendar import LONDON


class Event(StrEnum):
    """What a reader chooses by; `AWARDS` is always told at once."""

    INVITATIONS = "invitations"
    CHANGES = "changes"
    QUESTIONS = "questions"
    RECEIPTS = "receipts"
    RESULTS = "results"
    CONTRACTS = "contracts"
    STATEMENTS = "statements"
    AWARDS = "awards"
    OTHER = "other"


class HowOften(StrEnum):
    AT_ONCE = "at_once"
    DIGEST = "digest"
    NEVER = "never"


CHOSEN = tuple(event for event in Event if event is not Event.AWARDS)
"""What can be chosen about."""

_EVENTS: Mapping[str, Event] = {
    "invitation": Event.INVITATIONS,
    "closing_extended": Event.CHANGES,
    "referral_amended": Event.CHANGES,
    "referral_corrected": Event.CHANGES,
    "round_cancelled": Event.CHANGES,
    "bid_received": Event.RECEIPTS,
    "question_answered": Event.QUESTIONS,
    "question_asked": Event.QUESTIONS,
    "debrief_ready": Event.RESULTS,
    "tender_published": Event.INVITATIONS,
    "tender_cancelled": Event.CHANGES,
    "tender_decided": Event.RESULTS,
    "tender_offered": Event.AWARDS,
    "bid_handed_over": Event.RECEIPTS,
    "bid_not_kept": Event.AWARDS,
    "bid_lost_by_us": Event.AWARDS,
    "asked_again": Event.AWARDS,
    "tied_step": Event.AWARDS,
    "password_to_choose": Event.AWARDS,
}


_OF_CONTRACTS = ("contract_", "flex_", "package_", "change_", "prices_", "outcomes_", "complaint_", "run_off_")


def event_of(kind: str) -> Event:
    """Under which event a message of this kind falls."""
    if kind.startswith("award"):
        return Event.AWARDS
    if kind.startswith("statement_"):
        return Event.STATEMENTS
    if kind.startswith(_OF_CONTRACTS):
        return Event.CONTRACTS
    return _EVENTS.get(kind, Event.OTHER)


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One reader's choice; what it does not name is told at once. Minutes are of the local day.

    `quiet_minutes` may pass midnight. `text` names the events that go to the mobile as well. `only_saved`: of
    invitations those that fit a saved filter go as chosen, the others into the digest.
    """

    often: Mapping[Event, HowOften] = field(default_factory=dict)
    text: frozenset[Event] = frozenset({Event.AWARDS, Event.CHANGES})
    quiet_minutes: tuple[int, int] | None = None
    digest_minute: int = 8 * 60
    only_saved: bool = False

    def how_often(self, kind: str) -> HowOften:
        event = event_of(kind)
        return HowOften.AT_ONCE if event is Event.AWARDS else self.often.get(event, HowOften.AT_ONCE)

    def to_dict(self) -> dict[str, Any]:
        return {
            "often": {str(event): str(often) for event, often in self.often.items()},
            "text": sorted(str(event) for event in self.text),
            "quiet_minutes": list(self.quiet_minutes) if self.quiet_minutes else None,
            "digest_minute": self.digest_minute,
            "only_saved": self.only_saved,
        }

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any]) -> Self:
        quiet = raw["quiet_minutes"]
        return cls(
            often={Event(event): HowOften(often) for event, often in raw["often"].items()},
            text=frozenset(Event(event) for event in raw["text"]),
            quiet_minutes=(quiet[0], quiet[1]) if quiet else None,
            digest_minute=raw["digest_minute"],
            only_saved=raw["only_saved"],
        )


@dataclass(frozen=True, slots=True)
class Leaves:
    """When a letter leaves, and whether it does so with others in a digest."""

    at: datetime
    in_digest: bool = False


def leaves(
    kind: str, choice: Choice, now: datetime, *, closes_at: datetime | None = None, fits_saved: bool = True
) -> Leaves | None:
    """When a mail about this leaves; None where its reader wants none."""
    if event_of(kind) is Event.AWARDS:
        return Leaves(now)
    often = choice.how_often(kind)
    if often is HowOften.NEVER:
        return None
    is_passed_over = choice.only_saved and event_of(kind) is Event.INVITATIONS and not fits_saved
    if often is HowOften.DIGEST or is_passed_over:
        slot = next_at(choice.digest_minute, now)
        # A filter that was passed over is no reason to hurry.
        is_too_late = closes_at is not None and closes_at <= slot and not is_passed_over
        return Leaves(_after_quiet(choice, now, closes_at)) if is_too_late else Leaves(slot, in_digest=True)
    return Leaves(_after_quiet(choice, now, closes_at))


def leaves_by_text(kind: str, choice: Choice, now: datetime, *, closes_at: datetime | None = None) -> datetime | None:
    """When a text message about this leaves; None where its reader wants none."""
    event = event_of(kind)
    if event not in choice.text:
        return None
    return now if event is Event.AWARDS else _after_quiet(choice, now, closes_at)


def next_at(minute: int, now: datetime) -> datetime:
    """The next instant after `now` at which the local clock shows this minute of the day."""
    wall = time(minute // 60, minute % 60)
    today = now.astimezone(LONDON).date()
    slots = (datetime.combine(today + timedelta(days=days), wall, tzinfo=LONDON).astimezone(UTC) for days in (0, 1))
    return next(slot for slot in slots if slot > now)


def is_quiet(quiet_minutes: tuple[int, int], now: datetime) -> bool:
    """Whether `now` lies in `[from, until)` of the local day, which may pass midnight."""
    local = now.astimezone(LONDON)
    minute, (begins, ends) = local.hour * 60 + local.minute, quiet_minutes
    return begins <= minute < ends if begins < ends else minute >= begins or minute < ends


def _after_quiet(choice: Choice, now: datetime, closes_at: datetime | None) -> datetime:
    if choice.quiet_minutes is None or not is_quiet(choice.quiet_minutes, now):
        return now
    end = next_at(choice.quiet_minutes[1], now)
    return now if closes_at is not None and closes_at <= end else end
