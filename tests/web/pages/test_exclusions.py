"""Who must not serve a person, at the desk: kept away, read by brokers alone, let in again."""

import pytest

from tests.web.pages.test_desk import at_the_desk
from tests.web.served import Served

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"])


def test_a_provider_is_kept_away_with_a_reason_and_is_not_invited_until_it_is_let_in_again(served: Served) -> None:
    world = served.world
    kept, other = world.provider("Ash Homecare"), world.provider("Elm Homecare")
    referral = world.referral(publish_it=False)
    broker, path = at_the_desk(served), f"/desk/referrals/{referral}/exclusions"
    nobody = broker.open(path).text
    asked = {"provider": kept.provider or "", "ground": "relative_employed", "words": "A niece works there."}

    unsaid = broker.send(path, **asked | {"words": ""})
    away = broker.send(path, **asked)
    again = broker.send(path, **asked)
    world.publish(referral)
    invited = world.invited(referral)
    lifting = next(part.split('"')[0] for part in away.text.split('action="') if "/lifting" in part)
    let_in = broker.send(lifting)

    assert "Nobody is kept away." in nobody
    assert (unsaid.status_code, "Say what is known" in unsaid.text) == (400, True)
    assert "Ash Homecare: relative employed" in away.text
    assert "A niece works there." in away.text
    assert (again.status_code, "It is kept away already" in again.text) == (400, True)
    assert invited == {other.provider}
    assert "Nobody is kept away." in let_in.text
    assert world.events("person.exclusions_disclosed")
    assert "A niece" not in str([event.body for event in world.events("person.provider_excluded")])
