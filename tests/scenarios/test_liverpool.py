"""Liverpool: preferred providers have 5 hours to accept, then a package is also advertised to approved providers.

Source: the Liverpool City Region's public paper of 2019; what it does not say is marked as assumed in the scheme file.
"""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import select

from bidding import aftercare, amending, offers
from bidding.allocation.runs import AllocationRun
from bidding.awards import moving
from bidding.awards.records import AwardState, Source
from bidding.bids import submitting
from bidding.bids.records import Bid, BidState
from bidding.closings import Closing
from bidding.looking.placing import open_packages
from bidding.referrals import Referral
from bidding.rounds import EligibilityReport, Round
from dps.contracts.contracts import Contract
from dps.kernel.actors import Actor
from dps.kernel.database import Database
from dps.kernel.errors import InvalidBid, NeedsSecondPerson, NotEligible, NotFound, NotReady, TakenByAnother, TooLate
from dps.kernel.outbox import OutboxMessage
from dps.kernel.windows import ElapsedHours
from dps.packages.amendments import correct
from dps.packages.exclusions import Ground, Reason, exclude
from dps.packages.facts import FundingStream, PackageFacts
from dps.packages.packages import Package, person_of
from dps.register.documents import receive
from dps.register.limits import LimitPart
from dps.register.suspensions import RunningContracts, SuspensionScope, suspend
from dps.schemes.loader import preset
from dps.schemes.model import Urgency
from matching import allocation as solver
from tests.scenarios.serving import Care
from tests.support.world import World

HOME, BESIDE, FAR = "toxteth-aigburth", "speke-garston", "walton-fazakerley"
ELSEWHERE = (FAR, BESIDE)  # two localities that are not neighbours
ONE_MICROSECOND = timedelta(microseconds=1)


@pytest.fixture
def council(database: Database, tmp_path: Path) -> World:
    return World(database, tmp_path, "liverpool")


def preferred(council: World, name: str) -> Actor:
    return council.provider(name, lists=["preferred"], localities=[HOME])


def approved(council: World, name: str, *localities: str, hours: int = 100) -> Actor:
    return council.provider(name, lists=["approved"], localities=localities or [HOME], hours=hours)


def package_of(council: World, referral: str) -> Package:
    (row,) = council.rows(Referral, Referral.ref == referral)
    (package,) = council.rows(Package, Package.id == row.package_id)
    return package


def facts_of(council: World, referral: str) -> PackageFacts:
    return package_of(council, referral).facts


# The five hours


def test_from_five_hours_to_accept_to_a_paid_statement(council: World) -> None:
    oak, elm = preferred(council, "Synthetic Oak"), preferred(council, "Synthetic Elm")
    ash = approved(council, "Synthetic Ash")
    council.step(hours=8)  # 16:00: the window runs on past the end of the working day
    referral = council.referral(locality=HOME)
    closes_at = council.now + timedelta(hours=5)

    assert council.invited(referral) == {oak.provider, elm.provider}
    assert council.round(referral).closes_at == closes_at
    council.clock.move_to(closes_at - ONE_MICROSECOND)
    council.accept_in_window(oak, referral)
    council.clock.move_to(closes_at)
    with pytest.raises(TooLate):
        council.accept_in_window(elm, referral)
    with pytest.raises(NotFound):
        council.accept_in_window(ash, referral)
    council.timetable.sweep()
    award = council.award(referral)
    assert (award.provider, award.state) == (oak.provider, AwardState.ACCEPTED)
    assert award.weekly_pence == 5600  # 210 minutes a week at the published £16.00 an hour

    care = Care(council, referral, oak)
    council.step(days=7)
    care.mornings(7)

    assert care.paid(7).pence == 5600
    assert council.faults() == []


def test_the_papers_figures_are_the_files_own() -> None:
    scheme = preset("liverpool")
    for lot in scheme.lots:
        first, second, *_ = scheme.ladder(lot.key, Urgency.STANDARD).stages
        assert (first.lists, first.window) == (("preferred",), ElapsedHours(5))
        assert (second.lists, second.keeps_earlier) == (("approved",), True)  # "also advertised"
    assert scheme.term.starts == date(2017, 10, 1)


def test_five_hours_are_five_real_hours_on_the_night_the_clocks_go_back(council: World) -> None:
    council.publish_lists()  # the law asks it within weeks
    council.clock.move_to(datetime(2019, 10, 26, 23, 30, tzinfo=UTC))  # half past midnight on Sunday, summer time
    preferred(council, "Synthetic Oak")

    referral = council.referral(locality=HOME)

    assert council.round(referral).closes_at == datetime(2019, 10, 27, 4, 30, tzinfo=UTC)


def test_no_other_price_than_the_published_one_can_be_accepted(council: World) -> None:
    oak = preferred(council, "Synthetic Oak")
    referral = council.referral(locality=HOME)

    with pytest.raises(InvalidBid, match="accepted at the published rate"):
        council.bid(oak, referral, pence=1590)


def won_a_package_here(council: World, provider: Actor) -> None:
    """Let a provider have won hours in the locality lately."""
    referral = council.referral(locality=HOME)
    council.accept_in_window(provider, referral)
    council.close(referral)
    council.run(moving.confirm, award_ref=council.award(referral).ref, actor=provider)


def test_the_published_order_decides_and_not_speed(council: World) -> None:
    quick, known = preferred(council, "Synthetic Quick"), preferred(council, "Synthetic Known")
    won_a_package_here(council, known)  # so that the next of the published ties speaks for the other
    referral = council.referral(locality=HOME, existing_provider=known.provider)

    council.accept_in_window(quick, referral)
    council.step(hours=4, minutes=59)
    council.accept_in_window(known, referral)
    council.close(referral)

    assert council.award(referral).provider == known.provider  # the person knows its carers


def test_whoever_won_fewer_hours_here_lately_comes_first_though_it_accepts_last(council: World) -> None:
    busy, idle = preferred(council, "Synthetic Busy"), preferred(council, "Synthetic Idle")
    won_a_package_here(council, busy)
    referrals = [council.referral(locality=HOME) for _ in range(2)]

    for referral in referrals:
        council.accept_in_window(busy, referral)
    council.step(hours=1)
    for referral in referrals:
        council.accept_in_window(idle, referral)
    council.close(referrals[0])

    assert [council.award(referral).provider for referral in referrals] == [idle.provider] * 2


# Also advertised to approved providers


def test_what_nobody_accepts_is_also_advertised_to_approved_providers(council: World) -> None:
    oak, ash = preferred(council, "Synthetic Oak"), approved(council, "Synthetic Ash")
    referral = council.referral(locality=HOME)
    first = council.round(referral)

    council.close(referral)
    second = council.round(referral)

    assert (second.stage_key, second.mode, second.predecessor_id) == ("approved", "sealed_bid", first.id)
    assert council.invited(referral) == {oak.provider, ash.provider}  # the preferred one stays in
    # Monday 13:00 and 4 working hours: Tuesday's first published closing.
    assert second.closes_at == datetime(2019, 6, 4, 10, tzinfo=UTC)
    council.bid(ash, referral, pence=1650)
    council.bid(oak, referral, pence=1625)
    council.close(referral)
    assert council.award(referral).provider == oak.provider
    council.accept_and_confirm(council.award(referral), oak)
    (contract,) = council.rows(Contract)
    assert (contract.provider, contract.weekly_pence) == (oak.provider, 5688)  # 3.5 hours at £16.25, half up


def test_published_closings_are_at_eleven_and_three_and_rounds_of_one_closing_share_it(council: World) -> None:
    approved(council, "Synthetic Ash", HOME, BESIDE)  # nobody preferred: the first stage asks nobody and is skipped
    early = council.referral(locality=HOME)
    council.step(hours=1, minutes=30)  # 09:30
    late = council.referral(locality=BESIDE)
    council.step(hours=2)  # 11:30: four working hours end at 15:30, after the last closing of the day
    next_day = council.referral(locality=HOME)

    assert [council.round(referral).closes_at for referral in (early, late, next_day)] == [
        datetime(2019, 6, 3, 14, tzinfo=UTC),  # 15:00 on Monday
        datetime(2019, 6, 3, 14, tzinfo=UTC),
        datetime(2019, 6, 4, 10, tzinfo=UTC),  # 11:00 on Tuesday
    ]
    assert council.round(early).closing_id == council.round(late).closing_id != council.round(next_day).closing_id


def test_neighbours_then_the_city_are_asked_and_at_the_ladders_end_the_package_is_unfilled(council: World) -> None:
    oak, ash = preferred(council, "Synthetic Oak"), approved(council, "Synthetic Ash")
    beside, far = approved(council, "Synthetic Beside", BESIDE), approved(council, "Synthetic Far", FAR)
    at_home = {oak.provider, ash.provider}
    referral = council.referral(locality=HOME)

    asked = {}
    while council.state(referral) == "seeking":
        asked[council.round(referral).stage_key] = council.invited(referral)
        council.close(referral)

    assert asked == {
        "preferred": {oak.provider},
        "approved": at_home,
        "neighbours": at_home | {beside.provider},
        "city": at_home | {beside.provider, far.provider},
    }
    assert council.state(referral) == "unfilled"
    with council.database.reading() as session:
        assert [found.referral for found in open_packages(session, council.broker)] == [referral]
    assert [message.about for message in _carried(council, "referral_unfilled")] == [referral]
    rounds = council.rows(Round)
    assert [round_.predecessor_id for round_ in rounds] == [None, *(round_.id for round_ in rounds[:-1])]


def _carried(council: World, kind: str) -> list[OutboxMessage]:
    council.timetable.carry_messages()
    return [message for message in council.postman.messages if message.kind == kind]


# Packages that close together are allocated together


def test_packages_that_close_together_cost_less_than_each_ones_cheapest_would(council: World) -> None:
    oak = approved(council, "Synthetic Oak", *ELSEWHERE, hours=4)  # free for one package of 3.5 hours, not for two
    elm = approved(council, "Synthetic Elm", *ELSEWHERE)
    one, other = (council.referral(locality=place) for place in ELSEWHERE)
    council.bid(oak, one, pence=1500, preference=1)
    council.bid(oak, other, pence=1520, preference=2)
    council.bid(elm, one, pence=1540)
    council.bid(elm, other, pence=1840)

    council.close(one)

    won = {referral: council.award(referral).provider for referral in (one, other)}
    assert won == {one: elm.provider, other: oak.provider}  # though the cheapest bid for the first was Oak's
    together = sum(council.award(referral).weekly_pence for referral in (one, other))
    assert (together, _one_by_one(council).report.award_pence) == (5390 + 5320, 5250 + 6440)


def test_packages_that_close_together_place_more_people_than_one_by_one(council: World) -> None:
    oak = approved(council, "Synthetic Oak", *ELSEWHERE, hours=4)
    elm = approved(council, "Synthetic Elm", *ELSEWHERE)
    one, other = (council.referral(locality=place) for place in ELSEWHERE)
    council.bid(oak, one, pence=1500, preference=1)
    council.bid(oak, other, pence=1500, preference=2)
    council.bid(elm, one, pence=1890)

    council.close(one)

    assert {council.award(referral).provider for referral in (one, other)} == {oak.provider, elm.provider}
    assert _one_by_one(council).report.unplaced == 1


def _one_by_one(council: World) -> solver.Result:
    """What the stored run's bids would have come to, each package decided by itself."""
    (run,) = council.rows(AllocationRun)
    instance = solver.instance_from_json(run.instance)
    alone = replace(instance, policy=solver.Policy(mode=solver.Mode.PER_PACKAGE))
    return solver.solve(alone, lot_seed=bytes.fromhex(run.lot_seed), in_process=True)


# Discharge and crisis


def test_a_discharge_goes_out_on_a_pen_picture_closes_alone_and_confirms_only_when_complete(council: World) -> None:
    oak = approved(council, "Synthetic Oak")
    referral, other = (
        council.referral(locality=HOME, urgency=Urgency.DISCHARGE, funding=FundingStream.UNDECIDED) for _ in range(2)
    )
    published_at = council.now

    for one in (referral, other):
        assert council.round(one).closes_at == published_at + timedelta(hours=3)
    assert [closing.published for closing in council.rows(Closing)] == [False, False]  # each alone, though at one time
    council.bid(oak, referral, pence=1600)
    council.close(referral)
    award = council.award(referral)
    assert award.answer_by == council.now + timedelta(hours=2)
    council.run(moving.accept, award_ref=award.ref, actor=oak)
    with pytest.raises(NotReady, match="who pays"):
        council.run(moving.confirm, award_ref=award.ref, actor=oak)
    _correct(council, referral, funding=FundingStream.DISCHARGE_FUND)
    council.run(moving.confirm, award_ref=award.ref, actor=oak)
    assert council.state(referral) == "placed"


def _correct(council: World, referral: str, **facts: Any) -> None:
    package = package_of(council, referral)
    with council.database.transaction() as session:
        correct(
            session,
            council.ports.keyring,
            package,
            facts=replace(package.facts, **facts),
            scheme=council.scheme,
            actor=council.broker,
            now=council.now,
        )


def test_a_discharge_nobody_answers_climbs_in_hours_not_days(council: World) -> None:
    preferred(council, "Synthetic Oak")
    referral = council.referral(locality=HOME, urgency=Urgency.DISCHARGE)
    opened_at = council.now

    lasted: dict[str, timedelta] = {}
    while council.state(referral) == "seeking":
        council.close(referral)
        lasted[council.rows(Round)[len(lasted)].stage_key] = council.now - opened_at

    assert lasted == {
        "preferred": timedelta(hours=5),
        "approved": timedelta(hours=8),
        "city": timedelta(hours=10),
    }


def test_in_a_crisis_the_first_acceptance_wins_at_the_published_price(council: World) -> None:
    oak, ash = preferred(council, "Synthetic Oak"), approved(council, "Synthetic Ash")
    referral = council.referral(locality=HOME, urgency=Urgency.CRISIS)
    round_ref = council.round(referral).ref
    assert council.invited(referral) == {oak.provider, ash.provider}

    council.step(minutes=20)
    council.run(offers.accept_first, round_ref=round_ref, actor=ash)
    with pytest.raises(TakenByAnother):
        council.run(offers.accept_first, round_ref=round_ref, actor=oak)

    award = council.award(referral)
    assert (award.provider, award.state, award.weekly_pence) == (ash.provider, AwardState.ACCEPTED, 5600)


def test_a_crisis_nobody_takes_within_the_hour_goes_to_the_whole_city(council: World) -> None:
    oak, far = preferred(council, "Synthetic Oak"), approved(council, "Synthetic Far", FAR)
    referral = council.referral(locality=HOME, urgency=Urgency.CRISIS)
    first = council.round(referral)
    assert first.closes_at == council.now + timedelta(hours=1)

    council.clock.move_to(first.closes_at)
    with pytest.raises(TooLate):
        council.run(offers.accept_first, round_ref=first.ref, actor=oak)
    council.timetable.sweep()

    second = council.round(referral)
    assert second.closes_at == first.closes_at + timedelta(hours=2)
    assert council.invited(referral) == {oak.provider, far.provider}


# The person


def test_a_persons_choice_is_awarded_directly_with_its_reason(council: World) -> None:
    preferred(council, "Synthetic Oak")
    wanted = approved(council, "Synthetic Wanted")
    referral = council.referral(locality=HOME, preferred_provider=wanted.provider)

    council.run(
        offers.award_directly,
        referral_ref=referral,
        provider=wanted.provider,
        reason="persons_choice",
        content=council.content(referral, 1600),
        actor=council.broker,
    )

    award = council.award(referral)
    assert (award.provider, award.source, award.reason) == (wanted.provider, Source.DIRECT_AWARD, "persons_choice")
    council.accept_and_confirm(award, wanted)
    assert council.state(referral) == "placed"


def test_an_excluded_provider_is_not_invited_and_is_never_told_why(council: World) -> None:
    oak, barred = preferred(council, "Synthetic Oak"), preferred(council, "Synthetic Barred")
    referral = council.referral(locality=HOME, publish_it=False)
    with council.database.transaction() as session:
        exclude(
            session,
            council.ports.keyring,
            council.ports.entropy,
            person_of(session, package_of(council, referral)),
            provider=barred.provider or "",
            reason=Reason(Ground.RELATIVE_EMPLOYED, "A nephew works there."),
            actor=council.broker,
            now=council.now,
        )

    council.publish(referral)

    assert council.invited(referral) == {oak.provider}
    with pytest.raises(NotFound):
        council.accept_in_window(barred, referral)
    (report,) = council.rows(EligibilityReport)
    assert report.answers[barred.provider] == ["confidential_exclusion"]  # told to brokers, counted for auditors
    with pytest.raises(NotEligible) as refusal:
        council.run(
            offers.award_directly,
            referral_ref=referral,
            provider=barred.provider,
            reason="persons_choice",
            content=council.content(referral, 1600),
            actor=council.broker,
        )
    assert "nephew" not in str(refusal.value)


def test_who_the_person_is_leaves_the_council_only_to_the_winner_after_acceptance(council: World) -> None:
    oak, elm = approved(council, "Synthetic Oak"), approved(council, "Synthetic Elm")
    referral = council.referral(locality=HOME)
    council.bid(oak, referral, pence=1600)
    council.bid(elm, referral, pence=1700)
    council.close(referral)
    award = council.award(referral)

    with pytest.raises(NotFound):
        council.run(aftercare.identity_for_winner, award_ref=award.ref, actor=oak)  # offered, not accepted
    council.run(moving.accept, award_ref=award.ref, actor=oak)
    with pytest.raises(NotFound):
        council.run(aftercare.identity_for_winner, award_ref=award.ref, actor=elm)
    looks = [council.run(aftercare.identity_for_winner, award_ref=award.ref, actor=oak).name for _ in range(2)]

    assert looks == ["Synthetic Person 1"] * 2
    assert [event.actor for event in council.events("person.disclosed")] == [oak.ref] * 2  # each look is recorded
    council.run(moving.give_back, award_ref=award.ref, reason="Two stairs too many.", actor=oak)
    with pytest.raises(NotFound):
        council.run(aftercare.identity_for_winner, award_ref=award.ref, actor=oak)  # no longer the winner


# Who approves what


@pytest.mark.parametrize(
    ("visits", "pence", "people"),
    [
        ("Mon-Fri 07:00-12:00 300m personal_care", 40_000, 0),
        ("Mon-Sun 07:00-12:00 215m personal_care", 40_133, 1),
        ("Mon-Sun 07:00-12:00 265m x2 personal_care; Mon,Tue 13:00-14:00 20m personal_care", 100_000, 1),
        ("Mon-Sun 07:00-12:00 270m x2 personal_care", 100_800, 2),
    ],
)
def test_up_to_400_pounds_a_week_nobody_need_approve_and_above_1000_two_people_must(
    council: World, visits: str, pence: int, people: int
) -> None:
    oak = preferred(council, "Synthetic Oak")
    referral = council.referral(locality=HOME, visits=visits)
    council.accept_in_window(oak, referral)
    council.close(referral)
    award = council.award(referral)
    assert award.weekly_pence == pence

    for person in (council.broker, council.second)[:people]:
        assert council.award(referral).state is AwardState.PROPOSED
        council.run(moving.approve, award_ref=award.ref, actor=person)

    assert council.award(referral).state is AwardState.ACCEPTED  # it accepted in the window: told, not asked again


def test_the_same_person_is_no_second_person(council: World) -> None:
    oak = preferred(council, "Synthetic Oak")
    referral = council.referral(locality=HOME, visits="Mon-Sun 07:00-12:00 270m x2 personal_care")
    council.accept_in_window(oak, referral)
    council.close(referral)
    award = council.award(referral)
    council.run(moving.approve, award_ref=award.ref, actor=council.broker)

    with pytest.raises(NeedsSecondPerson):
        council.run(moving.approve, award_ref=award.ref, actor=council.broker)

    assert council.award(referral).state is AwardState.PROPOSED


def test_who_types_a_telephone_bid_can_not_decide_its_round(council: World) -> None:
    oak = approved(council, "Synthetic Oak")
    referral = council.referral(locality=HOME, visits="Mon-Sun 07:00-12:00 240m personal_care")
    council.run(
        submitting.submit,
        rounds=[council.round(referral).ref],
        content=council.content(referral, 1600),
        actor=council.broker,
        idempotency_key="a-telephone-call",
        provider=oak.provider,
    )
    (bid,) = council.rows(Bid)
    assert (bid.provider, bid.typed_by) == (oak.provider, council.broker.ref)
    council.run(submitting.confirm_typed, bid_ref=bid.ref, actor=oak)
    council.close(referral)
    award = council.award(referral)

    with pytest.raises(NeedsSecondPerson):
        council.run(moving.approve, award_ref=award.ref, actor=council.broker)
    with pytest.raises(NeedsSecondPerson):
        council.run(moving.overturn, award_ref=award.ref, reason="I liked it less.", actor=council.broker)
    council.run(moving.approve, award_ref=award.ref, actor=council.second)

    assert council.award(referral).state is AwardState.OFFERED


# Limits, suspensions, documents


def test_a_take_limit_holds_across_everything_a_provider_has_open(council: World) -> None:
    oak = approved(council, "Synthetic Oak", HOME, FAR)
    first = council.referral(locality=HOME)
    council.step(hours=2, minutes=30)
    second = council.referral(locality=FAR, urgency=Urgency.URGENT)
    council.limit(oak, LimitPart(packages=1))
    council.bid(oak, first, pence=1600)
    council.bid(oak, second, pence=1600)

    council.close(second)  # 13:30, alone: an offer to be answered within two working hours
    council.close(first)  # 15:00: the unanswered offer counts as taken
    assert council.award(second).state is AwardState.OFFERED

    assert council.awards(first) == []
    (decided,) = [event for event in council.events("round.decide") if event.stream != council.round(second).ref]
    assert decided.body["cause"] == "Of 1 bids: 1 could never hold it within its stated limits."
    third = council.referral(locality=HOME)
    assert council.state(third) == "unfilled"
    (report, *_) = council.rows(EligibilityReport, EligibilityReport.round_id == _last_round_id(council, third))
    assert report.answers[oak.provider] == ["package_limit_reached"]


def _last_round_id(council: World, referral: str) -> int:
    return council.round(referral).id or 0


def test_a_suspended_providers_live_bid_lapses_and_can_never_win(council: World) -> None:
    oak, elm = approved(council, "Synthetic Oak"), approved(council, "Synthetic Elm")
    referral = council.referral(locality=HOME)
    council.bid(oak, referral, pence=1500)
    council.bid(elm, referral, pence=1880)

    _suspend(council, oak)
    with pytest.raises(NotEligible):
        council.bid(oak, referral, pence=1490)
    council.close(referral)

    states = {bid.provider: bid.state for bid in council.rows(Bid)}
    assert states == {oak.provider: BidState.LAPSED, elm.provider: BidState.OPENED}
    assert council.award(referral).provider == elm.provider
    council.run(moving.decline, award_ref=council.award(referral).ref, reason="No carers left.", actor=elm)
    assert len(council.awards(referral)) == 1  # it is no reserve either
    assert oak.provider not in council.invited(referral)


def test_a_suspended_providers_unanswered_offer_lapses_and_the_reserve_is_asked(council: World) -> None:
    oak, elm = approved(council, "Synthetic Oak"), approved(council, "Synthetic Elm")
    referral = council.referral(locality=HOME)
    council.bid(oak, referral, pence=1500)
    council.bid(elm, referral, pence=1600)
    council.close(referral)
    offer = council.award(referral)
    assert (offer.provider, offer.state) == (oak.provider, AwardState.OFFERED)

    _suspend(council, oak)
    with pytest.raises(NotEligible):
        council.run(moving.accept, award_ref=offer.ref, actor=oak)
    council.timetable.sweep()

    assert council.award(referral).provider == elm.provider  # the person does not wait for the offer to run out


def _suspend(council: World, provider: Actor) -> None:
    council.run(
        suspend,
        provider_id=council.row_of(provider).id,
        scheme=council.scheme,
        scope=SuspensionScope.NEW_WORK,
        running_contracts=RunningContracts.CONTINUE,
        because="Safeguarding enquiry, until it is closed.",
        actor=council.officer,
    )


def test_a_provider_whose_insurance_ran_out_is_not_invited_until_it_is_renewed(council: World) -> None:
    oak, elm = preferred(council, "Synthetic Oak"), preferred(council, "Synthetic Elm")
    both = {oak.provider, elm.provider}
    _insure(council, oak, until=council.now.date())
    assert council.invited(council.referral(locality=HOME)) == both  # good on its last day

    council.step(days=1)
    referral = council.referral(locality=HOME)

    assert council.invited(referral) == {elm.provider}
    (report,) = council.rows(EligibilityReport, EligibilityReport.round_id == council.round(referral).id)
    assert report.answers == {oak.provider: ["document_expired"], elm.provider: []}
    _insure(council, oak, until=council.now.date() + timedelta(days=365))
    assert council.invited(council.referral(locality=HOME)) == both


def _insure(council: World, provider: Actor, *, until: date) -> None:
    council.run(
        receive,
        provider_id=council.row_of(provider).id,
        kind="public_liability_insurance",
        sha256="1" * 64,
        expires_on=until,
        actor=council.officer,
    )


# Changes after publication


def test_after_an_amendment_bids_must_be_reconfirmed_and_the_window_keeps_its_minimum(council: World) -> None:
    oak, elm = approved(council, "Synthetic Oak"), approved(council, "Synthetic Elm")
    referral, beside = council.referral(locality=HOME), council.referral(locality=HOME)
    stands = council.bid(oak, referral, pence=1700)["bid"]
    council.bid(elm, referral, pence=1600)
    council.clock.move_to(datetime(2019, 6, 3, 13, tzinfo=UTC))  # 14:00, an hour before the closing

    later = replace(facts_of(council, referral), latest_start=council.now.date() + timedelta(days=20))
    version = council.run(amending.amend, referral_ref=referral, facts=later, actor=council.broker)

    four_working_hours = datetime(2019, 6, 4, 9, tzinfo=UTC)  # three on Monday, one on Tuesday
    assert version == 2
    assert [council.round(one).closes_at for one in (referral, beside)] == [four_working_hours] * 2  # for all alike
    assert {message.recipient for message in _carried(council, "referral_amended")} == {
        f"provider:{oak.provider}",
        f"provider:{elm.provider}",
    }
    council.run(submitting.reconfirm, bid_ref=stands, actor=oak)
    council.close(referral)
    states = {bid.provider: bid.state for bid in council.rows(Bid)}
    assert states == {oak.provider: BidState.OPENED, elm.provider: BidState.LAPSED}
    assert council.award(referral).provider == oak.provider


def test_an_amended_discharge_keeps_its_own_short_window_and_waits_no_night_for_it(council: World) -> None:
    approved(council, "Synthetic Oak")
    council.step(hours=6)
    referral = council.referral(locality=HOME, urgency=Urgency.DISCHARGE)  # 14:00, closes 17:00
    council.step(hours=2, minutes=30)

    later = replace(facts_of(council, referral), latest_start=council.now.date() + timedelta(days=20))
    council.run(amending.amend, referral_ref=referral, facts=later, actor=council.broker)

    assert council.round(referral).closes_at == council.now + timedelta(hours=3)


# Unfilled


def test_an_unfilled_package_begins_again_with_the_preferred_providers(council: World) -> None:
    referral = council.referral(locality=HOME)  # nobody is there to be asked
    assert council.state(referral) == "unfilled"
    oak = preferred(council, "Synthetic Oak")

    council.clock.move_to(datetime(2019, 6, 5, 8, tzinfo=UTC) - ONE_MICROSECOND)
    council.timetable.sweep()
    assert council.state(referral) == "unfilled"
    council.move_to(datetime(2019, 6, 5, 8, tzinfo=UTC))  # 09:00 on the second working day

    again = council.round(referral)
    assert (council.state(referral), again.stage_key, again.cycle) == ("seeking", "preferred", 2)
    assert council.invited(referral) == {oak.provider}
    with council.database.reading() as session:
        assert session.exec(select(Referral.unfilled_at)).one() is None
