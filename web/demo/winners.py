"""What follows an award in the demonstration: approval, the provider's answer, confirmation, the first visit."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import select

from bidding import aftercare
from bidding.awards import moving
from bidding.awards.records import Award, AwardState
from dps.contracts.contracts import Contract, ContractState
from dps.contracts.reasons import FailureReason, HandBackReason
from dps.kernel.actors import Actor
from dps.kernel.calendar import LONDON
from web.demo.bidders import user_of
from web.demo.week import Week


@dataclass
class Winners:
    """Brokers and approvers by authority; the providers are those of the awards."""

    week: Week
    brokers: dict[str, Actor]
    approvers: dict[str, Actor]

    def handle(self, award: Award) -> None:
        """Brokers approve what waits for them; providers answer offers and confirm acceptances, mostly in time."""
        now = self.week.clock.instant
        user = user_of(award.provider)
        ref, authority = award.ref, award.authority
        if award.state is AwardState.PROPOSED:
            self.week.at(now + self.week.after(10, 60), lambda: self._approve(ref, authority))
        elif award.state is AwardState.OFFERED:
            assert award.answer_by is not None
            answer = float(self.week.rng.random())
            at = now + (award.answer_by - now) * float(self.week.rng.uniform(0.05, 0.9))
            if answer < 0.9:
                self.week.at(
                    at,
                    lambda: self.week.attempt(lambda s: moving.accept(s, self.week.ports, award_ref=ref, actor=user)),
                )
            elif answer < 0.96:
                words = "Our carers changed their hours."
                self.week.at(
                    at,
                    lambda: self.week.attempt(
                        lambda s: moving.decline(s, self.week.ports, award_ref=ref, reason=words, actor=user)
                    ),
                )
            else:
                self.week.sweep_after(award.answer_by)
        else:
            self._confirm_or_not(award, now)

    def _confirm_or_not(self, award: Award, now: datetime) -> None:
        assert award.confirm_by is not None
        user, broker = user_of(award.provider), self.brokers[award.authority]
        ref = award.ref
        answer = float(self.week.rng.random())
        at = now + (award.confirm_by - now) * float(self.week.rng.uniform(0.05, 0.8))
        if answer < 0.93:
            self.week.at(at, lambda: self._disclose_and_confirm(ref, user))
        elif answer < 0.97:
            words = "On assessment the calls need two carers we do not have."
            self.week.at(
                at,
                lambda: self.week.attempt(
                    lambda s: moving.give_back(s, self.week.ports, award_ref=ref, reason=words, actor=user)
                ),
            )
        elif answer < 0.985:
            words = "The person prefers to wait for another provider."
            self.week.at(
                at,
                lambda: self.week.attempt(
                    lambda s: moving.refused_by_person(s, self.week.ports, award_ref=ref, reason=words, actor=broker)
                ),
            )
        else:
            self.week.sweep_after(award.confirm_by)

    def _disclose_and_confirm(self, award_ref: str, user: Actor) -> None:
        if self.week.attempt(
            lambda s: aftercare.identity_for_winner(s, self.week.ports, award_ref=award_ref, actor=user)
        ):
            self.week.attempt(lambda s: moving.confirm(s, self.week.ports, award_ref=award_ref, actor=user))

    def _approve(self, award_ref: str, authority: str) -> None:
        if self.week.attempt(
            lambda session: moving.approve(session, self.week.ports, award_ref=award_ref, actor=self.brokers[authority])
        ):
            with self.week.database.reading() as session:
                state = session.exec(select(Award.state).where(Award.ref == award_ref)).one()
            if state is AwardState.PROPOSED:
                self.week.attempt(
                    lambda session: moving.approve(
                        session, self.week.ports, award_ref=award_ref, actor=self.approvers[authority]
                    )
                )

    def expect(self, contract: Contract) -> None:
        """The first visit comes on the agreed day; now and then it does not, or the contract comes back."""
        ref, user = contract.ref, user_of(contract.provider)
        morning = datetime(contract.starts_on.year, contract.starts_on.month, contract.starts_on.day, 10, tzinfo=LONDON)
        fate = float(self.week.rng.random())
        if fate < 0.03:
            self.week.at(
                morning,
                lambda: self.week.attempt(
                    lambda s: aftercare.fail_to_start(
                        s, self.week.ports, contract_ref=ref, reason=FailureReason.PROVIDER_COULD_NOT, actor=user
                    )
                ),
            )
            return
        self.week.at(
            morning,
            lambda: self.week.attempt(
                lambda s: aftercare.start_contract(
                    s, self.week.ports, contract_ref=ref, first_visit_on=contract.starts_on, actor=user
                )
            ),
        )
        if fate > 0.98:
            at = morning + timedelta(days=int(self.week.rng.integers(1, 4)))
            self.week.at(at, lambda: self._hand_back(ref, user, at))

    def _hand_back(self, contract_ref: str, user: Actor, at: datetime) -> None:
        with self.week.database.reading() as session:
            state = session.exec(select(Contract.state).where(Contract.ref == contract_ref)).one()
        if state is ContractState.ACTIVE:
            last_day = (at + timedelta(days=7)).date()
            self.week.attempt(
                lambda s: aftercare.hand_back(
                    s,
                    self.week.ports,
                    contract_ref=contract_ref,
                    reason=HandBackReason.STAFFING,
                    last_day=last_day,
                    actor=user,
                )
            )
