"""The report as tables: one form that the page, the terminal and a spreadsheet all print."""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any

from bidding.monthly.figures import Month


class Unit(StrEnum):
    """How a number of a column is read."""

    WORDS = "words"
    COUNT = "count"
    MINUTES = "minutes"
    CARE = "care"
    DAYS = "days"
    PENCE = "pence"
    THOUSANDTHS = "thousandths"
    REFERENCE = "reference"


@dataclass(frozen=True, slots=True)
class Table:
    """`rows` hold whole numbers, words, references, or None where there is nothing to say."""

    key: str
    title: str
    note: str
    columns: tuple[tuple[str, Unit], ...]
    rows: tuple[tuple[Any, ...], ...]
    empty: str


_WORDS, _COUNT, _MINUTES, _CARE, _DAYS, _PENCE, _SHARE, _REF = Unit


def tables(month: Month) -> Iterator[Table]:
    """Every chapter of the report, in the order in which a commissioner asks."""
    yield Table(
        "ways",
        "From referral to care",
        "Referrals published in these days, by urgency.",
        (
            ("Urgency", _WORDS),
            ("Published", _COUNT),
            ("Placed", _COUNT),
            ("Care begun", _COUNT),
            ("Still sought", _COUNT),
            ("Median time to place", _MINUTES),
            ("Median days to first visit", _DAYS),
            ("Longest wait", _MINUTES),
        ),
        tuple(_row(way) for way in month.ways),
        "Nothing was published in these days.",
    )
    yield Table(
        "stages",
        "The ladder",
        "Rounds that opened in these days, by stage.",
        (
            ("Stage", _WORDS),
            ("Rounds", _COUNT),
            ("Accepted", _COUNT),
            ("Went on", _COUNT),
            ("Invitations", _COUNT),
            ("Declined", _COUNT),
        ),
        tuple(_row(stage) for stage in month.stages),
        "No round opened in these days.",
    )
    yield Table(
        "competition",
        "Competition",
        "Decided rounds of sealed bids, by how many valid bids they had; the share is of the rounds with any.",
        (
            ("Rounds", _COUNT),
            ("Without a bid", _COUNT),
            ("One bid", _COUNT),
            ("Several bids", _COUNT),
            ("One bid, share", _SHARE),
        ),
        (_row(month.competition),) if month.competition.rounds else (),
        "No round of sealed bids was decided in these days.",
    )
    yield Table(
        "singly",
        "Awards round the competition",
        "Direct, open-list, first-acceptance, overriding and exceptional awards, each by itself.",
        (("Award", _REF), ("How", _WORDS), ("Provider", _REF), ("A week", _PENCE), ("Now", _WORDS)),
        tuple(_row(one) for one in month.singly),
        "Every award came of the competition, inside the envelope.",
    )
    yield Table(
        "otherwise",
        "Placed otherwise",
        "Packages that nobody took, placed outside the competition in these days: two people for each.",
        (
            ("Referral", _REF),
            ("How", _WORDS),
            ("Provider", _REF),
            ("A week", _PENCE),
            ("Proposed by (broker)", _REF),
            ("Approved by (approver)", _REF),
        ),
        tuple(_row(one) for one in month.otherwise),
        "No package was placed otherwise.",
    )
    yield Table(
        "fell_through",
        "Awards that came to nothing",
        "Awards proposed in these days.",
        (("Why", _WORDS), ("Awards", _COUNT)),
        month.fell_through,
        "No award came to nothing.",
    )
    yield Table(
        "after",
        "Failed starts and hand-backs",
        "Contracts that did not start, or came back, in these days.",
        (("What", _WORDS), ("Reason", _WORDS), ("Contracts", _COUNT)),
        month.after,
        "Every contract started, and none came back.",
    )
    yield Table(
        "market",
        "Who won",
        "Contracts agreed in these days; a small provider served fewer than ten people in the scheme before.",
        (
            ("Providers", _COUNT),
            ("Time a week", _CARE),
            ("A week", _PENCE),
            ("The three largest winners", _SHARE),
            ("Small providers", _SHARE),
        ),
        (_row(month.market),) if month.market.providers else (),
        "No contract was agreed in these days.",
    )
    yield Table(
        "prices",
        "Prices against the floor",
        "Hourly rates of the contracts agreed, by lot.",
        (
            ("Lot", _WORDS),
            ("Contracts", _COUNT),
            ("Least", _PENCE),
            ("Median", _PENCE),
            ("Most", _PENCE),
            ("Median above the floor", _PENCE),
            ("At or below the floor", _COUNT),
        ),
        tuple(_row(lot) for lot in month.prices),
        "No contract was agreed in these days.",
    )
    yield Table(
        "blocks",
        "Blocks of paid hours",
        "As the last of these days ended. What is served from a block costs nothing beside it.",
        (
            ("Block", _REF),
            ("Provider", _REF),
            ("Lot", _WORDS),
            ("Locality", _WORDS),
            ("Bought a week", _CARE),
            ("Used", _CARE),
            ("Unused", _CARE),
            ("A week", _PENCE),
        ),
        tuple(_row(block) for block in month.blocks),
        "No block of hours ran.",
    )
    yield Table(
        "areas",
        "Contracts for a whole area",
        "Those that ran on one of these days; stated is what statements that end in them came to.",
        (
            ("Contract", _REF),
            ("Provider", _REF),
            ("Sought as", _WORDS),
            ("Locality", _WORDS),
            ("Evaluated a year", _PENCE),
            ("Stated", _PENCE),
            ("Paid", _PENCE),
            ("To discussion", _PENCE),
        ),
        tuple(_row(area) for area in month.areas),
        "No area was let.",
    )
    yield Table(
        "advice",
        "Joint against per package",
        "Runs that were awarded package by package and had a joint answer too, as advice; the costs are a week's.",
        (
            ("Runs", _COUNT),
            ("Placed", _COUNT),
            ("Cost", _PENCE),
            ("Placed jointly", _COUNT),
            ("Cost jointly", _PENCE),
        ),
        (_row(month.advice),) if month.advice else (),
        "No run of these days had both answers.",
    )


def _row(one: Any) -> tuple[Any, ...]:
    return tuple(getattr(one, field.name) for field in fields(one))
