"""A stage asked for one referral: who is invited in which order, who was not and why, and what all of them see."""

import hashlib

import pytest

from bidding.rounds import EligibilityReport, Invitation, Round, invitation_of, invitations_of
from bidding.stages import shown
from dps.kernel.errors import NotFound
from dps.kernel.outbox import OutboxMessage
from dps.register.capacity import say_full
from tests.support.world import World

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"])


def order(world: World, referral: str) -> list[str]:
    """The providers of the referral's latest round in the order in which they stand."""
    with world.database.reading() as session:
        return [invitation.provider for invitation in invitations_of(session, world.round(referral).id)]


def test_the_order_is_the_existing_provider_then_fewer_hours_won_here_then_a_recorded_lot(world: World) -> None:
    everybody = [world.provider(f"Synthetic {name}") for name in ("Oak", "Elm", "Ash", "Yew")]
    oak, *_, yew = everybody
    won = world.referral()
    world.bid(oak, won, pence=1600)
    world.close(won)
    world.accept_and_confirm(world.award(won), oak)

    referral = world.referral(existing_provider=yew.provider)

    (*_, drawn) = world.events("round.order_drawn")
    assert (drawn.stream, drawn.body["of"]) == (world.round(referral).ref, 4)
    seed = drawn.body["seed"]
    lots = {
        provider.provider: hashlib.sha256(f"{seed}\n{number}".encode()).hexdigest()
        for number, provider in enumerate(everybody)
    }
    between = sorted((one.provider or "" for one in everybody[1:3]), key=lambda provider: lots[provider])
    assert order(world, referral) == [yew.provider, *between, oak.provider]


def test_who_can_not_be_asked_is_in_the_report_with_every_reason_and_hears_nothing(world: World) -> None:
    oak, elm, ash = (world.provider(f"Synthetic {hours} {n}", hours=hours) for n, hours in enumerate((100, 3, 3)))
    world.run(say_full, provider_id=world.row_of(ash).id or 0, actor=ash)

    referral = world.referral()  # 3.5 hours a week

    (report,) = world.rows(EligibilityReport)
    assert (report.eligible, report.assessed, report.at) == (1, 3, world.now)
    assert report.answers[oak.provider] == []
    assert report.answers[elm.provider] == ["too_few_free_minutes"]
    assert {"full", "too_few_free_minutes"} <= set(report.answers[ash.provider])
    told = [message.recipient for message in world.rows(OutboxMessage) if message.kind == "invitation"]
    assert (world.invited(referral), told) == ({oak.provider}, [f"provider:{oak.provider}"])


def test_to_who_was_not_invited_the_round_does_not_exist(ranked: World) -> None:
    holders = [ranked.provider(f"Synthetic {n}", lists=["end-of-life-contract"]) for n in range(2)]
    oak, referral = ranked.provider("Synthetic Oak"), ranked.referral(lot="end-of-life")
    round_ = ranked.round(referral)
    states = {invitation.provider: str(invitation.state) for invitation in ranked.rows(Invitation)}
    assert sorted(states.values()) == ["invited", "waiting"]  # one after another

    with ranked.database.reading() as session:
        for provider in (oak, *holders):
            if states.get(provider.provider or "") == "invited":
                assert invitation_of(session, round_.id, provider.provider or "").provider == provider.provider
                continue
            with pytest.raises(NotFound) as missing:
                invitation_of(session, round_.id, provider.provider or "")
            assert str(missing.value) == str(NotFound(kind="round", ref=round_.ref))


def test_what_is_stored_for_providers_holds_no_words_and_nothing_of_who_the_person_is(world: World) -> None:
    world.provider("Synthetic Oak")

    referral = world.referral()

    (round_,) = world.rows(Round)
    with world.database.reading() as session:
        seen = shown(session, world.ports, round_)
    for part in (round_.published_part, seen):
        for secret in ("Synthetic Person", "Example Street", "01632", "1940", f"{world.sector('town-centre')}AA"):
            assert secret not in str(part)
    assert "wash and dress" not in str(round_.published_part)
    assert set(seen) - set(round_.published_part) <= {"pen_picture", "outcomes"}
    assert seen["lot"] == "personal-care"
    assert world.state(referral) == "seeking"
