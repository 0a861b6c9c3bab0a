"""The shapes of what is sent to the API, and of its smaller answers. Unknown fields are refused by name."""

from datetime import date, datetime
from typing import Annotated, Any

from msgspec import Meta, Struct, to_builtins

from bidding.bids.content import BidContent, ExceptionalReason
from bidding.closings import ExtensionReason
from dps.kernel.money import PriceBasis

Words = Annotated[str, Meta(min_length=3, max_length=2000)]


class Prices(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """A short rate card. Pence by band: `{"weekday": 2150}`; by length first where the basis is the visit's length."""

    basis: PriceBasis
    prices: dict[str, Any]


class BidForm(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """What a bid says. It is sealed on receipt and comes back to nobody before its closing opens."""

    card: Prices
    starts_on: date
    times: dict[str, Any] | None = None
    weekly_minutes: int | None = None
    answers: dict[str, str] = {}
    preference: int | None = None
    not_with: list[str] = []
    exceptional_reason: ExceptionalReason | None = None

    def content(self) -> BidContent:
        """The bid as the engine reads it; BadInput names the field that is wrong."""
        return BidContent.from_dict(to_builtins(self))


class NewBid(Struct, forbid_unknown_fields=True):
    """A bid for one round, or for several of one closing: a bundle, all or nothing."""

    rounds: Annotated[list[str], Meta(min_length=1, max_length=50)]
    bid: BidForm


class BidTerms(Struct):
    """What a bid may say: pence for an hour of one carer, both ends; the first visit; to each question its answers.

    `published_weekly_pence` is there where no price is asked for: what the published one comes to.
    """

    floor_pence_per_hour: int
    ceiling_pence_per_hour: int
    earliest_start: date | None
    latest_start: date | None
    questions: dict[str, list[str]]
    published_weekly_pence: int | None


class BidFile(Struct, forbid_unknown_fields=True):
    """A file of bids: each row is a `NewBid`, sealed on its own, and each has an answer of its own."""

    rows: Annotated[list[dict[str, Any]], Meta(min_length=1, max_length=100)]


class BidRow(Struct, omit_defaults=True):
    """What became of one row: its signed receipt, or why it was refused; `errors` names what of it can't be read."""

    row: int
    receipt: dict[str, Any] | None = None
    code: str | None = None
    detail: str | None = None
    errors: list[dict[str, Any]] = []


class TelephoneBid(Struct, forbid_unknown_fields=True):
    """A bid that a provider dictates to a broker, who can't decide the round afterwards."""

    provider: str
    rounds: Annotated[list[str], Meta(min_length=1, max_length=50)]
    bid: BidForm


class Reason(Struct, forbid_unknown_fields=True):
    """Why. The words are kept under the person's key, and go with it; the trail says that they were given."""

    reason: Words


class Extension(Struct, forbid_unknown_fields=True):
    """A closing moved later, for everybody alike."""

    until: datetime
    reason: ExtensionReason


class Moved(Struct):
    """What a write changed, and the state it is in now."""

    ref: str
    state: str


class Confirmed(Struct):
    """A confirmed award and the contract it made."""

    ref: str
    state: str
    contract: str
