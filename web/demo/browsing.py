"""The open list in the demonstration: once a day some providers offer on what waits, and brokers take offers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlmodel import Session, col, select

from bidding import offers
from bidding.referrals import Referral, ReferralState
from bidding.rounds import Round
from dps.kernel.actors import Actor
from dps.packages.packages import Package
from web.demo.bidders import Bidders, user_of
from web.demo.week import Week


@dataclass
class OpenList:
    """`near` are the providers of each scheme's localities, in the order in which they were admitted."""

    week: Week
    bidders: Bidders
    brokers: dict[str, Actor]
    near: Mapping[tuple[str, str], Sequence[str]]

    def browse(self) -> None:
        """Once a day the clock restarts what is due, some providers offer on what waits, and brokers take offers."""
        self.week.sweep()
        with self.week.database.reading() as session:
            waiting = session.exec(
                select(Referral).where(col(Referral.state) == ReferralState.UNFILLED).order_by(col(Referral.id))
            ).all()
            places = {
                referral.id: session.exec(select(Package).where(Package.id == referral.package_id)).one()
                for referral in waiting
            }
            last = {
                referral.id: session.exec(
                    select(Round).where(Round.referral_id == referral.id).order_by(col(Round.id).desc()).limit(1)
                ).one()
                for referral in waiting
            }
        for referral in waiting:
            if not self.week.chance(0.5):
                continue
            near = self.near[referral.scheme, places[referral.id].locality]
            for _ in range(min(3, len(near))):
                provider = near[int(self.week.rng.integers(0, len(near)))]
                if self._offer(referral, provider, last[referral.id]):
                    break

    def _offer(self, referral: Referral, provider: str, round_: Round) -> bool:
        content = self.bidders.content(round_, self.bidders.providers[provider])
        made: list[str] = []

        def offer(session: Session) -> None:
            found = offers.make_open_offer(
                session, self.week.ports, referral_ref=referral.ref, content=content, actor=user_of(provider)
            )
            made.append(found.ref)

        if not self.week.attempt(offer):
            return False
        broker = self.brokers[referral.authority]
        self.week.at(
            self.week.clock.instant + self.week.after(30, 180),
            lambda: self.week.attempt(
                lambda s: offers.take_open_offer(s, self.week.ports, offer_ref=made[0], actor=broker)
            ),
        )
        return True
