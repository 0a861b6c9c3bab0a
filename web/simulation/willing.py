"""What the synthetic people do of themselves, drawn so that it is the same under any rules.

A provider likes a package or not, each time that it is asked anew; it has a price of its own for it, takes a published
price down to a tenth below that, and bids when the ceiling is not more than a twentieth below. How often people accept,
confirm and fail is as in the demonstration. Who bids for two packages of one locality that are solved together wants
both or none in 35 of 100 cases, 4% cheaper. All of this is assumed.
"""

from datetime import datetime, timedelta

from bidding.asking import offer_card
from bidding.bids.content import Asked, BidContent
from dps.kernel.calendar import LONDON
from dps.kernel.money import Band, PriceBasis, RateCard
from dps.packages.packages import Package
from dps.schemes.model import Envelope, Mode, Scheme
from web.demo.market import SyntheticNeed
from web.simulation.chance import Chance
from web.simulation.supply import Provider

_NEAR, _FAR = 0.45, 0.22
_TAKES_DOWN_TO = 0.9
_BIDS_DOWN_TO = 0.95
_LEAST_PATIENCE, _MEAN_PATIENCE = timedelta(days=14), timedelta(days=21)
_MEAN_CARE = timedelta(weeks=26)
_MEETS_DEADLINE = 0.985
_WANTS_BOTH, _CHEAPER_TOGETHER_PERCENT = 0.35, 4


class Willing:
    """The minds of one market's people under one rule set's prices."""

    def __init__(self, scheme: Scheme, chance: Chance) -> None:
        self.scheme, self.chance = scheme, chance

    def patience(self, need: SyntheticNeed) -> timedelta:
        """How long a person is sought for before they find something else, go into a home, or die."""
        return _LEAST_PATIENCE + self.chance.waiting(_MEAN_PATIENCE, "patience", need.number)

    def care_lasts(self, need: SyntheticNeed) -> timedelta:
        return self.chance.waiting(_MEAN_CARE, "care", need.number)

    def likes(self, one: Provider, package: Package, number: int, time: int) -> bool:
        """Whether it wants this work, the `time`-th time that it is asked; near home more than far."""
        near = _NEAR if one.who.home == package.locality else _FAR
        return self.chance.share("likes", number, one.number, time) < near

    def own_rate(self, one: Provider, package: Package, number: int) -> int:
        """Its price for this package in pence an hour: its usual one, a little more away from home."""
        away = 1.0 if one.who.home == package.locality else 1.03
        return round(one.who.rate_pence_per_hour * away * self.chance.normal(1.0, 0.025, "price", number, one.number))

    def takes_published(self, one: Provider, package: Package, number: int) -> bool:
        price = self.scheme.lot(package.lot).offer_pence_per_hour
        return price is not None and price >= self.own_rate(one, package, number) * _TAKES_DOWN_TO

    def answer(
        self, one: Provider, package: Package, number: int, mode: Mode, time: int, asked: Asked
    ) -> BidContent | None:
        """Its bid, or its acceptance of the published price; None where it has no wish to, or comes too late."""
        if not self.likes(one, package, number, time):
            return None
        if self.chance.share("in time", number, one.number, time) >= _MEETS_DEADLINE:
            return None
        if mode is not Mode.SEALED_BID and not self.takes_published(one, package, number):
            return None
        return self.content(one, package, number, mode, asked)

    def content(self, one: Provider, package: Package, number: int, mode: Mode, asked: Asked) -> BidContent | None:
        """What its bid says; None where the ceiling is too low for it."""
        assert asked.earliest_start is not None
        starts_on = asked.earliest_start + timedelta(days=self.chance.one_of(4, "start", number, one.number))
        starts_on = min(starts_on, asked.latest_start or starts_on)
        answers = tuple(
            sorted(
                (question.key, sorted(question.answers)[self.chance.one_of(len(question.answers), *drawn)])
                for question in self.scheme.evaluation.questions
                for drawn in [("answer", question.key, one.number)]
            )
        )
        if mode is not Mode.SEALED_BID:
            return BidContent(card=offer_card(self.scheme, package.lot), starts_on=starts_on, answers=answers)
        floor, ceiling = asked.envelope.floor_pence_per_hour, asked.envelope.ceiling_pence_per_hour
        own = self.own_rate(one, package, number)
        if ceiling < own * _BIDS_DOWN_TO:
            return None
        rate = min(max(own, floor), ceiling)
        prices = {Band.WEEKDAY: rate}
        if self.chance.share("weekend", number, one.number) < 0.25:
            prices[Band.WEEKEND] = min(rate + 40, ceiling)
        return BidContent(card=RateCard.of(PriceBasis.PER_HOUR, prices), starts_on=starts_on, answers=answers)

    def wants_both(self, one: Provider, first: int, second: int) -> bool:
        """Whether it would serve both packages in one round of visits, and says so in a bid for both or none."""
        return self.chance.share("wants both", one.number, first, second) < _WANTS_BOTH

    def both(self, first: BidContent, second: BidContent, envelope: Envelope) -> BidContent:
        """What a bid for both says: its lower rates, less what a shared round saves, from the later start on."""
        floor = envelope.floor_pence_per_hour
        prices: dict[Band, int] = {}
        for price in (*first.card.prices, *second.card.prices):
            cheaper = max(price.pence * (100 - _CHEAPER_TOGETHER_PERCENT) // 100, floor)
            prices[price.band] = min(cheaper, prices.get(price.band, cheaper))
        starts_on = max(first.starts_on, second.starts_on)
        return BidContent(card=RateCard.of(PriceBasis.PER_HOUR, prices), starts_on=starts_on, answers=first.answers)

    def moment(self, begins: datetime, ends: datetime, *about: object) -> datetime:
        """Some moment of a window, rather late than early, but well before its end."""
        return begins + (ends - begins) * self.chance.between(0.05, 0.85, "moment", *about)

    def morning_after(self, day: datetime) -> datetime:
        local = day.astimezone(LONDON)
        return (local + timedelta(days=1)).replace(hour=10, minute=0, second=0, microsecond=0)
