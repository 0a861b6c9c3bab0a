"""St Helens: a mini-competition for each individual package, then across the border, then the open list.

Source: the Liverpool City Region's public paper of 2019; what it does not say is marked as assumed in the scheme file.
"""

from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from sqlmodel import select

from bidding import aftercare, offers
from bidding.awards import moving
from bidding.awards.records import AwardState
from bidding.bids.records import Bid, BidState
from bidding.looking.debriefed import debrief
from dps.contracts.reasons import HandBackReason
from dps.kernel.calendar import LONDON
from dps.kernel.database import Database
from dps.kernel.errors import AdmissionClosed, NotFound, PriceStillSealed, RuleNotMet, TooLate
from dps.kernel.verify import verify_trail
from dps.register.admission import openings
from dps.register.capacity import free_minutes
from dps.schemes.loader import preset
from tests.scenarios.joining import an_applicant, applied
from tests.scenarios.serving import Care, on_sqlite
from tests.support.drawn import without_references
from tests.support.world import World

HOME = "town-centre"


@pytest.fixture
def council(database: Database, tmp_path: Path) -> World:
    return World(database, tmp_path, "st-helens")


def test_from_a_competition_for_one_package_to_a_paid_statement(council: World) -> None:
    oak, elm = council.provider("Synthetic Oak"), council.provider("Synthetic Elm")
    referral = council.referral(locality=HOME)
    round_ = council.round(referral)

    assert council.invited(referral) == {oak.provider, elm.provider}
    assert round_.published_part["grain"] == "least"  # too few people yet to publish more
    council.bid(oak, referral, pence=1700)
    council.bid(elm, referral, pence=1620)
    assert round_.closes_at is not None
    council.move_to(round_.closes_at)
    award = council.award(referral)
    assert (award.provider, award.state) == (elm.provider, AwardState.OFFERED)
    assert award.weekly_pence == 5670  # 210 minutes a week at £16.20 an hour
    care = Care(council, referral, elm)

    assert council.state(referral) == "placed"
    agreed = care.contract
    assert (agreed.provider, agreed.weekly_pence, agreed.weekly_minutes) == (elm.provider, 5670, 210)
    with council.database.reading() as session:
        elm_id = council.row_of(elm).id or 0
        left = free_minutes(session, provider_id=elm_id, authority=council.authority, at=council.now)
    assert left == 100 * 60 - 210
    council.step(days=7)
    care.mornings(7)
    assert care.paid(7).pence == 5670
    assert council.faults() == []


def test_the_papers_figures_are_the_files_own() -> None:
    scheme = preset("st-helens")
    assert scheme.term.starts == date(2016, 12, 1)
    assert scheme.allocation.mode == "per_package"  # a mini-competition for each individual package
    assert (scheme.admission.opening, scheme.admission.decision_working_days) == ("quarterly", 10)


# Joining


@on_sqlite
def test_new_providers_apply_once_a_quarter_and_are_answered_within_ten_working_days(council: World) -> None:
    newcomer = an_applicant(council)
    answers = {"call-monitoring": True}

    with pytest.raises(AdmissionClosed) as shut:  # 4 March: the quarter's weeks are over
        applied(council, newcomer, answers)
    opens_at = shut.value.facts["opens_at"]
    assert opens_at.astimezone(LONDON) == datetime(2019, 4, 1, tzinfo=LONDON)
    council.clock.move_to(opens_at + timedelta(hours=10))
    application = applied(council, newcomer, answers)

    answer_by = datetime(2019, 4, 15, 17, tzinfo=LONDON)  # the tenth working day after 1 April
    assert application.decide_by == answer_by
    assert not application.is_overdue(answer_by - timedelta(microseconds=1))
    assert application.is_overdue(answer_by)
    quarters = {one.opens_at.astimezone(LONDON).month for one in openings(council.scheme, council.now)}
    assert quarters == {4, 7, 10}


@on_sqlite
def test_a_base_in_the_borough_or_in_a_bordering_one_is_asked(council: World) -> None:
    here = council.provider("Synthetic Oak")
    beside = council.provider("Synthetic Wigan", lad="E08000010")
    council.provider("Synthetic London", lad="E09000001")
    referral = council.referral(locality=HOME)
    assert council.invited(referral) == {here.provider}

    council.close(referral)

    assert council.invited(referral) == {here.provider, beside.provider}


# Sealed, and in time


def test_nobody_learns_a_price_before_the_closing_and_the_loser_learns_only_its_own(council: World) -> None:
    oak, elm = council.provider("Synthetic Oak"), council.provider("Synthetic Elm")
    referral = council.referral(locality=HOME)
    round_ = council.round(referral)
    lost = council.bid(oak, referral, pence=1700)["bid"]
    council.bid(elm, referral, pence=1620)

    with council.database.reading() as session, pytest.raises(PriceStillSealed):
        debrief(session, bid_ref=lost, round_ref=round_.ref, actor=oak)
    assert round_.closes_at is not None
    council.move_to(round_.closes_at)
    council.accept_and_confirm(council.award(referral), elm)

    with council.database.reading() as session:
        told = debrief(session, bid_ref=lost, round_ref=round_.ref, actor=oak)
        with pytest.raises(NotFound):
            debrief(session, bid_ref=lost, round_ref=round_.ref, actor=elm)
    assert (told.won, told.rank, told.of) == (False, 2, 2)
    assert told.main_reason == "The successful bid had the better price."
    shown = without_references(str(told))
    assert "1620" not in shown
    assert "5670" not in shown


def test_a_bid_at_the_closing_instant_is_too_late_and_leaves_a_trace(council: World) -> None:
    oak = council.provider("Synthetic Oak")
    referral = council.referral(locality=HOME)
    round_ = council.round(referral)
    assert round_.closes_at is not None

    council.clock.move_to(round_.closes_at)
    with pytest.raises(TooLate):
        council.bid(oak, referral, pence=1700)

    assert council.rows(Bid) == []
    assert [event.actor for event in council.events("bid.refused_late")] == [oak.ref]


def test_what_the_borough_cannot_place_is_asked_across_the_border_then_put_on_the_open_list(council: World) -> None:
    home = council.provider("Synthetic Oak", localities=[HOME])
    across = council.provider("Synthetic Wigan", lad=council.scheme.bordering_lads[0])
    referral = council.referral(locality=HOME)
    first = council.round(referral)
    assert council.invited(referral) == {home.provider}

    assert first.closes_at is not None
    council.move_to(first.closes_at)
    second = council.round(referral)

    assert (second.stage_key, second.predecessor_id) == ("border", first.id)
    assert council.invited(referral) == {home.provider, across.provider}
    assert second.closes_at is not None
    council.move_to(second.closes_at)
    assert council.state(referral) == "unfilled"
    with council.database.transaction() as session:
        content = council.content(referral, 1750)
        offer = offers.make_open_offer(session, council.ports, referral_ref=referral, content=content, actor=across).ref
    with council.database.transaction() as session:
        offers.take_open_offer(session, council.ports, offer_ref=offer, actor=council.broker)
    council.accept_and_confirm(council.award(referral), across)
    assert council.state(referral) == "placed"


def test_an_unfilled_package_is_asked_again_by_itself_after_the_published_interval(council: World) -> None:
    referral = council.referral(locality=HOME)
    assert council.state(referral) == "unfilled"

    council.provider("Synthetic Newcomer")
    council.step(days=1)
    assert council.state(referral) == "unfilled"
    council.step(days=1, hours=2)

    assert council.state(referral) == "seeking"
    assert council.round(referral).cycle == 2


def test_the_reserve_is_offered_at_once_when_the_winner_declines(council: World) -> None:
    oak, elm = council.provider("Synthetic Oak"), council.provider("Synthetic Elm")
    referral = council.referral(locality=HOME)
    council.bid(oak, referral, pence=1700)
    council.bid(elm, referral, pence=1620)
    round_ = council.round(referral)
    assert round_.closes_at is not None
    council.move_to(round_.closes_at)

    with council.database.transaction() as session:
        first = council.award(referral)
        moving.decline(session, council.ports, award_ref=first.ref, reason="No carers left.", actor=elm)

    reserve = council.award(referral)
    assert (reserve.provider, reserve.source, reserve.state) == (oak.provider, "reserve", AwardState.OFFERED)
    assert council.round(referral).id == round_.id  # no new round


def test_a_hand_back_brokers_the_package_again_at_once_with_the_person_still_served(council: World) -> None:
    oak = council.provider("Synthetic Oak")
    referral = council.referral(locality=HOME)
    council.bid(oak, referral, pence=1700)
    round_ = council.round(referral)
    assert round_.closes_at is not None
    council.move_to(round_.closes_at)
    contract = council.accept_and_confirm(council.award(referral), oak)
    council.step(days=4)
    today = council.now.date()

    with council.database.transaction() as session:
        aftercare.start_contract(session, council.ports, contract_ref=contract, first_visit_on=today, actor=oak)
    with council.database.transaction() as session:
        aftercare.hand_back(
            session,
            council.ports,
            contract_ref=contract,
            reason=HandBackReason.STAFFING,
            last_day=today + timedelta(days=7),
            actor=oak,
        )

    assert council.state(referral) == "seeking"
    again = council.round(referral)
    assert (again.cycle, again.predecessor_id) == (2, round_.id)


def test_end_of_life_care_is_offered_to_its_own_contract_first_then_to_the_approved(council: World) -> None:
    hospice = council.provider("Synthetic Hospice", lists=["end-of-life-contract"])
    oak = council.provider("Synthetic Oak")
    with pytest.raises(RuleNotMet, match="Holder of the end-of-life contract has one provider"):
        council.provider("Synthetic Second Hospice", lists=["end-of-life-contract"])
    assert council.now.date() >= date(2019, 2, 1)  # since when it has a contract of its own
    referral = council.referral(locality=HOME, lot="end-of-life")
    first = council.award(referral)
    assert (first.provider, first.source) == (hospice.provider, "ranked_offer")

    council.run(moving.decline, award_ref=first.ref, reason="No nurse tonight.", actor=hospice)

    assert council.round(referral).mode == "sealed_bid"
    assert oak.provider in council.invited(referral)


def test_the_whole_story_verifies(council: World) -> None:
    oak = council.provider("Synthetic Oak")
    referral = council.referral(locality=HOME)
    council.bid(oak, referral, pence=1700)
    round_ = council.round(referral)
    assert round_.closes_at is not None
    council.move_to(round_.closes_at)
    council.accept_and_confirm(council.award(referral), oak)

    council.timetable.sign_checkpoint()

    with council.database.reading() as session:
        report = verify_trail(session, council.ports.keyring.public_keys)
        states = {bid.state for bid in session.exec(select(Bid))}
    assert report.faults == []
    assert states == {BidState.AWARDED}
