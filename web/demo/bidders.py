"""Providers of the demonstration: who answers an invitation, when, and with what."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from bidding import offers
from bidding.asking import offer_card
from bidding.bids import submitting
from bidding.bids.content import BidContent
from bidding.bids.submitting import submit_in
from bidding.first_visit import days_offered
from bidding.rounds import Invitation, Round
from dps.kernel.actors import Actor, Role
from dps.kernel.errors import InvalidBid, NotFound, Refused, TooLate
from dps.kernel.money import Band, PriceBasis, RateCard
from dps.schemes.model import Mode, Scheme
from web.demo.provider import SyntheticProvider
from web.demo.week import Week

_DECLINES = ("No carers free at these times.", "Outside our runs this week.", "Two carers can't be found.")


@dataclass
class Tally:
    """What happened that the database does not keep."""

    late_bids_refused: int = 0
    refused_bids: int = 0


def user_of(provider: str) -> Actor:
    """The one who acts for this provider."""
    return Actor(ref=f"demo-user-{provider}", role=Role.PROVIDER, provider=provider)


@dataclass
class Bidders:
    """All providers by reference, and the rules of the schemes in whose rounds they bid."""

    week: Week
    schemes: dict[str, Scheme]
    providers: dict[str, SyntheticProvider]
    tally: Tally

    def react(self, round_: Round, invited: Sequence[Invitation]) -> None:
        """Each invited provider decides, at some moment of the window, or now and then just after it."""
        assert round_.closes_at is not None
        window = round_.closes_at - round_.opens_at
        for invitation in invited:
            mood = float(self.week.rng.random())
            share = float(self.week.rng.beta(2.5, 1.2))
            at = round_.opens_at + window * share
            if mood < self._appetite(round_, invitation.provider):
                if self.week.chance(0.015):
                    at = round_.closes_at + self.week.after(0, 4)
                self.week.at(at, lambda one=invitation: self._answer(round_, one.provider))  # type: ignore[misc]
            elif mood > 0.85:
                self.week.at(at, lambda one=invitation: self._decline_round(round_, one.provider))  # type: ignore[misc]
        self.week.sweep_after(round_.closes_at)

    def _appetite(self, round_: Round, provider: str) -> float:
        """Providers want work near home, and the preferred and the local more than the far."""
        who = self.providers[provider]
        near = 0.45 if who.home == round_.locality else 0.22
        return near * (0.8 if round_.mode == Mode.ACCEPTANCE_WINDOW else 1.0)

    def _answer(self, round_: Round, provider: str) -> None:
        who = self.providers[provider]
        if round_.mode == Mode.FIRST_ACCEPTANCE:
            self.week.attempt(
                lambda session: offers.accept_first(
                    session, self.week.ports, round_ref=round_.ref, actor=user_of(provider)
                )
            )
            return
        try:
            submit_in(
                self.week.database,
                self.week.ports,
                rounds=[round_.ref],
                content=self.content(round_, who),
                actor=user_of(provider),
                idempotency_key=f"{round_.ref}-{provider}",
            )
        except TooLate:
            self.tally.late_bids_refused += 1
        except (InvalidBid, Refused, NotFound):
            self.tally.refused_bids += 1

    def content(self, round_: Round, who: SyntheticProvider) -> BidContent:
        """The provider's usual rate, a little more away from home; a start at or soon after the earliest."""
        scheme, part = self.schemes[round_.scheme], round_.published_part
        closes_at = round_.closes_at or round_.opens_at
        start, end = (day or closes_at.date() for day in days_offered(part, closes_at))
        starts_on = min(start + timedelta(days=int(self.week.rng.integers(0, 4))), end)
        answers = tuple(
            (question.key, sorted(question.answers)[int(self.week.rng.integers(0, len(question.answers)))])
            for question in scheme.evaluation.questions
        )
        if round_.mode == Mode.ACCEPTANCE_WINDOW:
            card = offer_card(scheme, round_.lot)
        else:
            away = 1.0 if who.home == round_.locality else 1.03
            rate = round(who.rate_pence_per_hour * away * float(self.week.rng.normal(1.0, 0.025)))
            envelope = scheme.lot(round_.lot).envelope_on(start, round_.locality)
            if self.week.chance(0.97):
                rate = min(max(rate, envelope.floor_pence_per_hour), envelope.ceiling_pence_per_hour)
            prices = {Band.WEEKDAY: rate}
            if self.week.chance(0.25):
                prices[Band.WEEKEND] = min(rate + 40, envelope.ceiling_pence_per_hour)
            card = RateCard.of(PriceBasis.PER_HOUR, prices)
        return BidContent(card=card, starts_on=starts_on, answers=tuple(sorted(answers)))

    def _decline_round(self, round_: Round, provider: str) -> None:
        reason = _DECLINES[int(self.week.rng.integers(0, len(_DECLINES)))]
        self.week.attempt(
            lambda session: submitting.decline(
                session, self.week.ports, round_ref=round_.ref, reason=reason, actor=user_of(provider)
            )
        )
        self.week.changed = False
