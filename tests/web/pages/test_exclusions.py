"""Who must not serve a person, at the desk: kept away, read by brokers alone, let in again."""

import pytest

from bidding.closings import Closing
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


def test_whoever_declared_a_tie_reads_what_a_colleague_does_and_loses_nothing_typed(served: Served) -> None:
    world = served.world
    own, rival = world.provider("Ash Homecare"), world.provider("Elm Homecare")
    referral = world.referral()
    (closing,) = world.rows(Closing)
    broker, path = at_the_desk(served), f"/desk/referrals/{referral}"
    untied = broker.open(path).text
    broker.open("/desk/interests")
    broker.send("/desk/interests", provider=own.provider or "")

    tied = broker.open(path).text
    extension = broker.open(f"/desk/closings/{closing.ref}/extension").text
    broker.open(f"{path}/exclusions")
    asked = {"provider": rival.provider or "", "ground": "relative_employed", "words": "A niece works there."}
    refused = broker.send(f"{path}/exclusions", **asked)
    holding = broker.open(f"{path}/hold").text
    held = broker.send(f"{path}/hold", reason="The person went to hospital.").text

    assert "You declared a tie" not in untied
    assert "You declared a tie to a provider that was asked for this package." in tied
    assert f"/desk/closings/{closing.ref}/extension" not in tied
    assert "a colleague without a tie extends it" in extension
    assert 'name="until"' not in extension
    assert f"{path}/direct" not in tied
    assert (refused.status_code, "You declared a tie to another provider" in refused.text) == (400, True)
    assert "A niece works there." in refused.text
    assert "the approvers are told" in holding
    assert "and seeks again" in held
    assert 'The person went to hospital.”<span class="dps-muted">, who declared a tie, by a broker' in held
    assert f"{path}/resumption" not in held


def test_once_bids_may_be_open_a_tied_broker_reads_why_somebody_else_ends_the_search(served: Served) -> None:
    world = served.world
    own = world.provider("Ash Homecare")
    referral = world.referral()
    broker, path = at_the_desk(served), f"/desk/referrals/{referral}/withdraw"
    broker.open("/desk/interests")
    broker.send("/desk/interests", provider=own.provider or "")
    world.bid(own, referral, pence=1600)
    (closing,) = world.rows(Closing)
    world.clock.move_to(closing.closes_at)

    page = broker.open(path).text

    assert "could undo what others won" in page
    assert 'name="reason"' not in page
