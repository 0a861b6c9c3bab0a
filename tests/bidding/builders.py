"""Valid bids and what they answer, for rules that need no database. What a test is about is passed in."""

from datetime import date
from typing import Any

from bidding.bids.content import Asked, BidContent
from bidding.evaluation import Entry
from dps.kernel.money import Band, PriceBasis, RateCard
from dps.packages.schedule import Schedule
from dps.schemes.model import Envelope, Lot, ScoredQuestion
from tests.dps.packages.builders import a_visit

START = date(2019, 3, 7)
QUESTION = ScoredQuestion(key="continuity", text="How many carers?", points=40, answers={"few": 100, "many": 0})


def per_hour(pence: int, **bands: int) -> RateCard:
    """An hourly rate; `weekend=1800` prices a band of its own."""
    return RateCard.of(PriceBasis.PER_HOUR, {Band.WEEKDAY: pence, **{Band(name): more for name, more in bands.items()}})


def asked(**facts: Any) -> Asked:
    """Half an hour every morning (210 minutes a week), from 7 to 14 March 2019, at £14 to £20 an hour."""
    envelope = Envelope(floor_pence_per_hour=1400, ceiling_pence_per_hour=2000)
    return Asked(
        **{
            "schedule": Schedule.of([a_visit()]),
            "earliest_start": START,
            "latest_start": date(2019, 3, 14),
            "other_minutes_allowed": False,
            "lot": Lot(key="personal-care", name="Personal care", envelopes=(envelope,)),
            "envelope": envelope,
            "questions": (),
            **facts,
        }
    )


def content(pence: int = 1600, **facts: Any) -> BidContent:
    """A bid at this hourly rate, from the earliest start."""
    return BidContent(**{"card": per_hour(pence), "starts_on": START, **facts})


def entry(bid: str, pence: int = 1600, **facts: Any) -> Entry:
    """An opened bid as it enters an evaluation; `asked` and `content` may be given, rating counts 80."""
    return Entry(
        **{
            "bid": bid,
            "provider": f"PRV-{bid}",
            "content": content(pence),
            "asked": asked(),
            "rating_score": 80,
            "is_existing_provider": False,
            "minutes_won_28_days": 0,
            **facts,
        }
    )
