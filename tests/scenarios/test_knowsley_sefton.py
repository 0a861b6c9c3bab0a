"""Knowsley and Sefton: two councils commission one scheme together, and each decides what is its own.

Source: the Liverpool City Region's public paper of 2019; what it does not say is marked as assumed in the scheme file.
"""

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from bidding import amending, deadline, offers, publishing
from bidding.allocation.runs import AllocationRun
from bidding.awards import moving
from bidding.awards.records import AwardState
from bidding.bids import submitting
from bidding.closings import Closing, ClosingState
from bidding.looking import office, placing
from bidding.looking.debriefed import debrief
from bidding.otherwise import deciding
from bidding.referrals import Referral, referral_of
from dps.contracts.reasons import ChangeReason
from dps.contracts.statements.making import make_statement
from dps.contracts.variations.records import VariationState
from dps.contracts.variations.rescheduling import WeekWanted, reduce_as_assessor
from dps.kernel.actors import Actor
from dps.kernel.database import Database
from dps.kernel.errors import NotFound, VariationRefused
from dps.packages.packages import Package
from dps.packages.schedule import parse_schedule
from dps.register.capacity import declare, free_minutes
from dps.register.limits import LimitPart
from dps.schemes.loader import preset
from tests.scenarios.joining import shown
from tests.scenarios.serving import Care, on_sqlite
from tests.support.world import World

KIRKBY, MAGHULL = "kirkby", "maghull"  # neighbours across the boundary: Knowsley's and Sefton's
HUYTON, BOOTLE = "huyton", "bootle"


@pytest.fixture
def knowsley(database: Database, tmp_path: Path) -> World:
    return World(database, tmp_path, "knowsley-sefton")


@pytest.fixture
def sefton(knowsley: World) -> World:
    return knowsley.acting_for("sefton")


def declared(council: World, provider: Actor, minutes: int) -> None:
    """Let a provider say how much it has free for this council's people."""
    council.run(
        declare,
        provider_id=council.row_of(provider).id,
        authority=council.authority,
        minutes=minutes,
        expires_at=council.now + timedelta(days=30),
        actor=provider,
    )


def free(council: World, provider: Actor) -> int:
    provider_id = council.row_of(provider).id or 0
    with council.database.reading() as session:
        return free_minutes(session, provider_id=provider_id, authority=council.authority, at=council.now)


# One scheme, two councils


def test_one_scheme_serves_both_councils_with_the_same_providers(knowsley: World, sefton: World) -> None:
    oak = knowsley.provider("Synthetic Oak", localities=[KIRKBY, MAGHULL])

    mine, theirs = knowsley.referral(locality=KIRKBY), sefton.referral(locality=MAGHULL)

    assert {row.authority for row in knowsley.rows(Referral)} == {"knowsley", "sefton"}
    assert knowsley.invited(mine) == sefton.invited(theirs) == {oak.provider}


def test_the_ladder_asks_neighbours_across_the_boundary_between_the_councils(knowsley: World) -> None:
    kirkby, maghull = (knowsley.provider(f"Synthetic {place}", localities=[place]) for place in (KIRKBY, MAGHULL))
    bootle = knowsley.provider("Synthetic Bootle", localities=[BOOTLE])
    referral = knowsley.referral(locality=KIRKBY)

    asked = {}
    while knowsley.state(referral) == "seeking":
        asked[knowsley.round(referral).stage_key] = knowsley.invited(referral)
        knowsley.close(referral)

    assert asked == {
        "locality": {kirkby.provider},
        "neighbours": {kirkby.provider, maghull.provider},
        "both": {kirkby.provider, maghull.provider, bootle.provider},
    }


# From referral to paid statements


def test_one_provider_serves_both_councils_and_each_pays_its_own_statement(knowsley: World, sefton: World) -> None:
    oak = knowsley.provider("Synthetic Oak", localities=[KIRKBY, MAGHULL])
    cares = []
    for council, locality, pence in ((knowsley, KIRKBY, 1600), (sefton, MAGHULL, 1700)):
        referral = council.referral(locality=locality)
        council.bid(oak, referral, pence=pence)
        council.close(referral)
        cares.append(Care(council, referral, oak))
    my_care, their_care = cares
    knowsley.step(days=7)
    for care in (my_care, their_care):
        care.mornings(7)

    with pytest.raises(NotFound):
        my_care.vary(make_statement, actor=sefton.broker, first_day=my_care.first, last_day=my_care.day(6))
    paid = [my_care.paid(4), their_care.paid(4)]

    assert [(one.authority, one.pence) for one in paid] == [("knowsley", 4 * 800), ("sefton", 4 * 850)]
    assert knowsley.faults() == []


@on_sqlite
def test_trusted_assessment_lets_a_provider_reduce_a_package_by_a_quarter(knowsley: World) -> None:
    oak = knowsley.provider("Synthetic Oak", localities=[KIRKBY])
    referral = knowsley.referral(locality=KIRKBY)
    knowsley.bid(oak, referral, pence=1600)
    knowsley.close(referral)
    care = Care(knowsley, referral, oak)
    with pytest.raises(VariationRefused, match="accreditation"):
        reduced(care, "Mon-Sat")
    shown(knowsley, oak, "trusted_assessor_accreditation")
    with pytest.raises(VariationRefused, match="25%"):
        reduced(care, "Mon-Fri")

    assert reduced(care, "Mon-Sat") is VariationState.AGREED  # the council is told, and is not asked

    knowsley.step(days=7)
    care.mornings(7)
    assert care.paid(7).pence == 6 * 800  # the Sunday was not planned any more


def reduced(care: Care, days: str) -> VariationState:
    schedule = parse_schedule(f"{days} 07:30-09:30 30m personal_care")
    wanted = WeekWanted(schedule=schedule, from_day=care.today, reason=ChangeReason.MORE_INDEPENDENT)
    state: VariationState = care.vary(reduce_as_assessor, wanted=wanted).state
    return state


def test_the_papers_figures_are_the_files_own() -> None:
    scheme = preset("knowsley-sefton")
    assert scheme.term.starts == date(2018, 8, 1)
    assert [authority.key for authority in scheme.authorities] == ["knowsley", "sefton"]
    assert scheme.variations.reduction is not None
    assert scheme.variations.reduction.most_percent == 25


# A council's own affairs


def test_a_broker_neither_sees_nor_decides_the_other_councils_referrals(knowsley: World, sefton: World) -> None:
    oak = knowsley.provider("Synthetic Oak", localities=[MAGHULL])
    referral = sefton.referral(locality=MAGHULL)
    round_ = sefton.round(referral)
    package = sefton.rows(Package)[0]
    content = sefton.content(referral, 1600)
    foreign: dict[Callable[..., Any], dict[str, Any]] = {
        publishing.hold: {"reason": "Not ours to hold."},
        publishing.withdraw: {"reason": "Not ours to end."},
        amending.amend: {"facts": package.facts},
        publishing.restart_unfilled: {},
        deciding.propose: {"how": "in_house", "weekly_pence": 1, "reason": "Not ours to place."},
        offers.award_directly: {"provider": oak.provider, "reason": "persons_choice", "content": content},
    }

    for command, request in foreign.items():
        with pytest.raises(NotFound):
            knowsley.run(command, referral_ref=referral, actor=knowsley.broker, **request)
    with pytest.raises(NotFound):
        knowsley.run(
            submitting.submit,
            rounds=[round_.ref],
            content=content,
            actor=knowsley.broker,
            idempotency_key="a-telephone-call",
            provider=oak.provider,
        )
    with knowsley.database.reading() as session:
        with pytest.raises(NotFound):
            referral_of(session, referral, knowsley.broker)
        assert office.referrals(session, knowsley.broker) == []
        assert office.closings(session, knowsley.broker) == []
        assert [seen.referral for seen in office.referrals(session, sefton.broker)] == [referral]
    assert sefton.state(referral) == "seeking"


def test_an_award_of_the_other_council_can_not_be_approved_overturned_or_read(knowsley: World, sefton: World) -> None:
    oak = knowsley.provider("Synthetic Oak", localities=[MAGHULL])
    referral = sefton.referral(locality=MAGHULL, visits="Mon-Sun 07:00-12:00 240m personal_care")
    bid = sefton.bid(oak, referral, pence=1600)["bid"]
    sefton.close(referral)
    award = sefton.award(referral)
    assert award.state is AwardState.PROPOSED  # above £400 a week

    for clerk in (knowsley.broker, knowsley.second):
        with pytest.raises(NotFound):
            knowsley.run(moving.approve, award_ref=award.ref, actor=clerk)
        with pytest.raises(NotFound):
            knowsley.run(moving.overturn, award_ref=award.ref, reason="Not ours to overturn.", actor=clerk)
    with knowsley.database.reading() as session:
        assert placing.awards(session, knowsley.broker, knowsley.ports.keyring) == []
    sefton.run(moving.approve, award_ref=award.ref, actor=sefton.broker)
    sefton.accept_and_confirm(award, oak)

    round_ref = sefton.round(referral).ref
    with knowsley.database.reading() as session, pytest.raises(NotFound):
        debrief(session, bid_ref=bid, round_ref=round_ref, actor=knowsley.broker)


def test_a_closing_without_own_rounds_can_not_be_extended(knowsley: World, sefton: World) -> None:
    knowsley.provider("Synthetic Oak", localities=[MAGHULL])
    referral = sefton.referral(locality=MAGHULL)
    (closing,) = sefton.rows(Closing)
    later = closing.closes_at + timedelta(hours=1)
    request = {"closing_ref": closing.ref, "until": later, "reason": "The portal was away for an hour."}

    with pytest.raises(NotFound):
        knowsley.run(deadline.extend, **request, actor=knowsley.broker)
    sefton.run(deadline.extend, **request, actor=sefton.broker)

    assert sefton.round(referral).closes_at == later


# Hours are declared council by council


def test_hours_declared_to_one_council_are_not_the_others(knowsley: World, sefton: World) -> None:
    oak = knowsley.provider("Synthetic Oak", localities=[KIRKBY, MAGHULL])
    declared(knowsley, oak, 420)
    declared(sefton, oak, 0)

    mine, theirs = knowsley.referral(locality=KIRKBY), sefton.referral(locality=MAGHULL)

    assert knowsley.invited(mine) == {oak.provider}
    assert sefton.state(theirs) == "unfilled"
    knowsley.bid(oak, mine, pence=1600)
    knowsley.close(mine)
    knowsley.accept_and_confirm(knowsley.award(mine), oak)
    assert (free(knowsley, oak), free(sefton, oak)) == (210, 0)


def test_a_closing_of_both_councils_is_decided_once_with_each_ones_own_hours(knowsley: World, sefton: World) -> None:
    oak, elm = (knowsley.provider(f"Synthetic {name}", localities=[KIRKBY, HUYTON, BOOTLE]) for name in ("Oak", "Elm"))
    declared(knowsley, oak, 240)  # one package of 210 minutes for each council, not two
    declared(sefton, oak, 240)
    mine = [knowsley.referral(locality=place) for place in (KIRKBY, HUYTON)]
    theirs = sefton.referral(locality=BOOTLE)
    for referral, oaks, elms in ((mine[0], 1500, 1550), (mine[1], 1500, 1900), (theirs, 1500, 1600)):
        knowsley.bid(oak, referral, pence=oaks)
        knowsley.bid(elm, referral, pence=elms)

    knowsley.close(theirs)

    (closing,) = knowsley.rows(Closing)
    (run,) = knowsley.rows(AllocationRun)
    assert (closing.state, run.closing_id) == (ClosingState.ALLOCATED, closing.id)
    won = {referral: knowsley.award(referral).provider for referral in (*mine, theirs)}
    assert won == {mine[0]: elm.provider, mine[1]: oak.provider, theirs: oak.provider}
    assert {award.authority for award in (knowsley.award(theirs), knowsley.award(mine[0]))} == {"knowsley", "sefton"}
    assert (free(knowsley, oak), free(sefton, oak)) == (30, 30)


def test_a_take_limit_counts_the_work_of_both_councils(knowsley: World, sefton: World) -> None:
    oak, elm = (knowsley.provider(f"Synthetic {name}", localities=[KIRKBY, MAGHULL]) for name in ("Oak", "Elm"))
    knowsley.limit(oak, LimitPart(packages=1))
    mine, theirs = knowsley.referral(locality=KIRKBY), sefton.referral(locality=MAGHULL)
    for referral, oaks, elms in ((mine, 1500, 1600), (theirs, 1500, 1510)):
        knowsley.bid(oak, referral, pence=oaks)
        knowsley.bid(elm, referral, pence=elms)

    knowsley.close(mine)

    assert (knowsley.award(mine).provider, sefton.award(theirs).provider) == (oak.provider, elm.provider)
