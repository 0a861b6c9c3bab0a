"""Awards on their way, reached by the real commands."""

from dataclasses import dataclass

from bidding.awards import moving
from bidding.awards.records import Award
from dps.kernel.actors import Actor
from dps.register.capacity import Ledger
from dps.register.holds import Hold
from tests.support.world import World

AUTOMATIC = "Mon-Sun 07:30-09:30 30m personal_care"
"""3.5 hours a week: at £16 an hour nobody need approve."""

ONE_PERSON = "Mon-Sun 07:00-11:00 120m x2 personal_care"
"""28 hours a week: at £16 an hour more than £400 and less than £1,000."""

TWO_PEOPLE = "Mon-Sun 07:00-11:00 180m x2 personal_care;Mon-Sun 12:00-16:00 180m x2 personal_care"
"""84 hours a week: more than £1,000."""


@dataclass(frozen=True)
class Story:
    """A package with three bidders, at £16.00, £16.50 and £17.00 an hour, after its closing."""

    world: World
    referral: str
    best: Actor
    reserve: Actor
    last: Actor

    @property
    def award(self) -> Award:
        return self.world.award(self.referral)

    def held(self, provider: Actor) -> tuple[int, int]:
        """The provider's reserved and committed minutes in the authority as a whole."""
        (row,) = self.world.rows(Ledger, Ledger.provider_id == self.world.row_of(provider).id, Ledger.locality == "")
        return row.reserved_minutes, row.committed_minutes

    def hold(self, award: Award) -> str | None:
        found = self.world.rows(Hold, Hold.ref == award.ref)
        return str(found[0].state) if found else None

    def approve(self, *people: Actor) -> None:
        for person in people:
            self.world.run(moving.approve, award_ref=self.award.ref, actor=person)

    def accept(self) -> None:
        award = self.award
        actor = Actor(ref="whoever", role=self.best.role, provider=award.provider)
        self.world.run(moving.accept, award_ref=award.ref, actor=actor)


def a_story(world: World, *, visits: str = AUTOMATIC, hours: int = 100) -> Story:
    best, reserve, last = (world.provider(f"Synthetic {name}", hours=hours) for name in ("Oak", "Elm", "Ash"))
    referral = world.referral(visits=visits)
    for provider, pence in ((best, 1600), (reserve, 1650), (last, 1700)):
        world.bid(provider, referral, pence=pence)
    world.close(referral)
    return Story(world, referral, best, reserve, last)
