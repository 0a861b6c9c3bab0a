"""A referral belongs to its office: opened for its own packages, and to every other as if there were none."""

from dataclasses import replace

import pytest

from bidding.referrals import PRIORITY, Referral, locked_referral, open_referral, referral_of
from dps.kernel.errors import Forbidden, NotFound
from dps.packages.packages import Package
from dps.schemes.model import Urgency
from tests.support.world import World


@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_a_draft_is_opened_by_the_packages_own_office_and_found_by_nobody_elses(world: World) -> None:
    foreign = replace(world.broker, authority="knowsley")
    referral = world.referral(publish_it=False)
    (package,) = world.rows(Package, Package.id == world.rows(Referral)[0].package_id)

    for actor, error in ((foreign, NotFound), (world.second, Forbidden), (world.commissioner, Forbidden)):
        with pytest.raises(error):
            world.run(open_referral, package=package, actor=actor)
    for find in (referral_of, locked_referral):
        with world.database.transaction() as session:
            assert find(session, referral, world.broker).state == "draft"
            with pytest.raises(NotFound) as another:
                find(session, referral, foreign)
            with pytest.raises(NotFound) as missing:
                find(session, "REF-0000-0000-0000", foreign)
        assert str(another.value).replace(referral, "?") == str(missing.value).replace("REF-0000-0000-0000", "?")
    (event,) = world.events("referral.opened")
    assert (event.stream, event.body) == (referral, {"package": package.ref})


def test_crisis_comes_before_discharge_before_urgent_before_standard() -> None:
    order = [Urgency.CRISIS, Urgency.DISCHARGE, Urgency.URGENT, Urgency.STANDARD]

    assert [PRIORITY[urgency] for urgency in order] == [1, 2, 3, 4]
