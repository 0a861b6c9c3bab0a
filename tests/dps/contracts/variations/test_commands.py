"""Variations as commands: who decides, what is written, what the trail says, what the week becomes."""

from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import Session, col, select

from dps.contracts.contracts import ContractState
from dps.contracts.desk import story_of
from dps.contracts.reasons import Averted, EndReason, FlexChange, FlexOutcome, FlexReason, HandBackReason
from dps.contracts.reasons import SuspensionReason as Paused
from dps.contracts.standing import find_contract
from dps.contracts.variations.ending import days_short_of_notice, end_contract
from dps.contracts.variations.flexing import FlexWanted, flex, report_flex, sign_flex, tracker
from dps.contracts.variations.pausing import pause, resume
from dps.contracts.variations.records import STEPS, Variation, VariationState, Weeks, find_variation, history
from dps.contracts.variations.rescheduling import (
    agree,
    increase,
    propose,
    reduce_as_assessor,
    refuse,
    withdraw,
)
from dps.contracts.variations.uplifting import Prices, reached, risen_week, uplift
from dps.kernel import ending
from dps.kernel.actors import Actor, Role
from dps.kernel.audit import AuditEvent
from dps.kernel.database import Database
from dps.kernel.errors import BadInput, Forbidden, NoSuchStep, NotFound, NothingChanged, VariationRefused
from dps.kernel.money import Band, PriceBasis, RateCard
from dps.kernel.outbox import OutboxMessage
from dps.packages.facts import FundingStream
from dps.packages.packages import person_of
from dps.packages.remarks import Remark, words_of
from dps.packages.schedule import Schedule
from dps.register.documents import receive
from dps.register.holds import hold_of, raise_for_existing
from dps.register.providers import Provider, register_provider
from tests.dps.contracts.desk import LONGER, MORNINGS, SHORTER, VARIATIONS, Desk, rules
from tests.dps.packages.builders import a_visit
from tests.dps.packages.cases import (
    APPROVER,
    AUDITOR,
    BROKER,
    KEYRING,
    NEIGHBOUR,
    NOON,
    OTHER_PROVIDER,
    PROVIDER,
    PROVIDER_REF,
)

COMMISSIONER = Actor(ref="USR-COMMISSIONER", role=Role.COMMISSIONER, authority="westshire")
CANARY = "Fell in the bathroom on Tuesday."


def bodies(session: Session) -> list[Any]:
    ending.write(session)
    return [event.body for event in session.exec(select(AuditEvent).order_by(col(AuditEvent.id)))]


def told(session: Session) -> list[tuple[str, str]]:
    ending.write(session)
    rows = session.exec(select(OutboxMessage).order_by(col(OutboxMessage.id))).all()
    return [(message.recipient, message.kind) for message in rows]


# Flex


def a_flex(desk: Desk, actor: Actor = PROVIDER, **changes: Any) -> Variation:
    """An hour a day more from today, for three days, unless told otherwise."""
    wanted = FlexWanted(
        **{
            "from_day": desk.today,
            "days": 3,
            "extra_minutes_a_day": 60,
            "group": "older_people",
            "begun_by": "provider",
            "reason": FlexReason.FALL,
            "changed": FlexChange.MORE_VISITS,
            **changes,
        }
    )
    return desk.run(flex, contract_ref=desk.ref, scheme=desk.scheme, wanted=wanted, actor=actor)


def test_a_provider_flexes_alone_and_the_council_is_told(database: Database) -> None:
    with database.transaction() as session:
        desk = Desk(session)

        made = a_flex(desk, note=CANARY)

        assert (made.state, made.pence_a_day) == (VariationState.AGREED, 2100)  # £73.50 for 210 minutes
        assert made.last_day == desk.today + timedelta(days=2)
        assert told(session)[-1] == ("authority:westshire", "flex_told")
        # What was written beside the codes is readable under the person's key, and nowhere in the trail.
        (remark,) = session.exec(select(Remark)).all()
        assert words_of(KEYRING, person_of(session, desk.package), remark) == CANARY
        assert CANARY not in str(bodies(session))
        assert any(body.get("remark") == remark.ref and body["reason"] == "fall" for body in bodies(session))


def test_above_the_weekly_limit_a_flex_waits_for_an_authorised_officer(database: Database) -> None:
    with database.transaction() as session:
        desk = Desk(session)
        # Seven days round the clock are 168 hours at £21.00: £3,528.
        made = a_flex(desk, days=7, extra_minutes_a_day=24 * 60)
        assert (made.state, told(session)[-1][1]) == (VariationState.PROPOSED, "flex_to_sign")

        with pytest.raises(Forbidden):
            desk.run(sign_flex, variation_ref=made.ref, actor=BROKER)
        desk.run(sign_flex, variation_ref=made.ref, actor=APPROVER)

        assert made.state is VariationState.AGREED
        # The desk is told of each flex that counts, also of one that it did not decide.
        assert [kind for _, kind in told(session)[-2:]] == ["flex_signed", "flex_told"]
        with pytest.raises(NoSuchStep):
            desk.run(sign_flex, variation_ref=made.ref, actor=APPROVER)


def test_flexes_of_one_person_count_each_other_even_while_one_waits(database: Database) -> None:
    with database.transaction() as session:
        desk = Desk(session)
        a_flex(desk, days=6, extra_minutes_a_day=24 * 60)  # £3,024 waits
        desk.after(days=6)

        assert a_flex(desk, days=1, extra_minutes_a_day=60).state is VariationState.PROPOSED


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"days": 8}, "7 days"),
        ({"group": "mental_health"}, "groups"),
        ({"circumstances": ("direct_payment",)}, "direct payment"),
        ({"from_day": NOON.date() - timedelta(days=2)}, "told within"),
    ],
)
def test_a_flex_beyond_the_limits_is_refused_and_nothing_is_written(
    database: Database, changes: dict[str, Any], words: str
) -> None:
    with database.transaction() as session:
        desk = Desk(session)

        with pytest.raises(VariationRefused, match=words):
            a_flex(desk, **changes)

        assert session.exec(select(Variation)).all() == []


def test_only_what_the_council_funds_is_flexed_and_only_while_it_runs(database: Database) -> None:
    with database.transaction() as session:
        with pytest.raises(VariationRefused, match="manages and funds"):
            a_flex(Desk(session, funding=FundingStream.SELF_FUNDED))
        desk = Desk(session)
        desk.run(end_contract, contract_ref=desk.ref, reason=EndReason.CARE_HOME, last_day=desk.today, actor=BROKER)
        with pytest.raises(NoSuchStep):
            a_flex(desk)


@pytest.mark.parametrize(("actor", "refusal"), [(BROKER, Forbidden), (OTHER_PROVIDER, NotFound), (AUDITOR, Forbidden)])
def test_nobody_else_flexes(database: Database, actor: Actor, refusal: type[Exception]) -> None:
    with database.transaction() as session, pytest.raises(refusal):
        a_flex(Desk(session), actor)


def test_the_monitoring_form_is_filled_and_the_tracker_adds_up(database: Database) -> None:
    with database.transaction() as session:
        desk = Desk(session)
        first = a_flex(desk)
        form: dict[str, Any] = {
            "variation_ref": first.ref,
            "outcome": FlexOutcome.BACK_TO_NORMAL,
            "averted": Averted.HOSPITAL_ADMISSION,
            "actor": PROVIDER,
        }
        desk.after(days=5)
        _report(desk, form)
        a_flex(desk, days=1)

        found = tracker(session, scheme=desk.scheme, actor=COMMISSIONER)

        assert (found.flexes, found.unreported, found.committed_pence) == (2, 1, 4 * 2100)
        assert found.averted == {"hospital_admission": 1}
        assert tracker(session, scheme=desk.scheme, actor=NEIGHBOUR).flexes == 0


def test_a_flex_reported_early_ends_that_day_and_one_that_has_not_begun_is_not_reported(database: Database) -> None:
    with database.transaction() as session:
        desk = Desk(session)
        ahead = a_flex(desk, from_day=desk.today + timedelta(days=5), days=1)
        running = a_flex(desk)
        form: dict[str, Any] = {
            "outcome": FlexOutcome.HOSPITAL,
            "averted": Averted.NOTHING,
            "actor": PROVIDER,
        }
        with pytest.raises(BadInput, match="has not begun"):
            desk.run(report_flex, variation_ref=ahead.ref, **form)
        desk.after(days=1)

        _report(desk, {"variation_ref": running.ref, **form})

        assert running.last_day == desk.today
        assert told(session)[-1] == ("authority:westshire", "flex_reported")


def _report(desk: Desk, form: dict[str, Any]) -> None:
    # The hours were raised for a provider of the register; these tests have none, so one is held by hand.
    if hold_of(desk.session, form["variation_ref"]) is None:
        row = _registered(desk)
        raise_for_existing(
            desk.session,
            provider_id=row.id or 0,
            authority="westshire",
            locality="harbour",
            minutes=60,
            ref=form["variation_ref"],
            actor=BROKER,
            now=NOON,
        )
    desk.run(report_flex, **form)


def _registered(desk: Desk) -> Provider:
    officer = Actor("USR-OFFICER", Role.REGISTER_OFFICER, "westshire")
    row = register_provider(desk.session, desk.ports, name="Synthetic Oak", company_number=None, actor=officer)
    row.ref = PROVIDER_REF
    desk.session.add(row)
    desk.session.flush()
    return row


# The week


def test_a_trusted_assessor_reduces_and_the_council_is_told_not_asked(database: Database) -> None:
    with database.transaction() as session:
        desk = Desk(session)
        request: dict[str, Any] = {"contract_ref": desk.ref, "scheme": desk.scheme, "wanted": desk.week(SHORTER)}
        with pytest.raises(VariationRefused, match="trusted assessor"):
            desk.run(reduce_as_assessor, **request, actor=PROVIDER)
        row = _registered(desk)
        officer = Actor("USR-OFFICER", Role.REGISTER_OFFICER, "westshire")
        receive(
            session,
            desk.ports,
            provider_id=row.id or 0,
            kind="trusted_assessor",
            sha256="0" * 64,
            expires_on=desk.today + timedelta(days=30),
            actor=officer,
        )

        made = desk.run(reduce_as_assessor, **request, actor=PROVIDER)

        assert (made.state, made.weekly_minutes, made.weekly_pence) == (VariationState.AGREED, 150, 5250)
        assert told(session)[-1] == ("authority:westshire", "package_reduced")
        with pytest.raises(Forbidden):
            desk.run(reduce_as_assessor, **request, actor=BROKER)


def test_a_broker_increases_within_the_tolerance(database: Database) -> None:
    with database.transaction() as session:
        desk = Desk(session)
        later = desk.today + timedelta(days=7)

        made = desk.run(
            increase,
            contract_ref=desk.ref,
            scheme=desk.scheme,
            wanted=desk.week(LONGER, from_day=later, note=CANARY),
            actor=BROKER,
        )

        weeks = Weeks(session, desk.contract)
        assert (made.weekly_minutes, weeks.minutes_on(later), weeks.minutes_on(desk.today)) == (420, 420, 210)
        assert (weeks.pence_on(desk.today), weeks.pence_on(later)) == (7350, 15_100)  # 5 × £21.00 and 2 × £23.00
        assert (desk.contract.weekly_minutes, weeks.most_minutes, weeks.latest_minutes) == (210, 420, 420)
        assert CANARY not in str(bodies(session))
        with pytest.raises(VariationRefused, match="publish what is needed beyond"):
            desk.run(
                increase,
                contract_ref=desk.ref,
                scheme=desk.scheme,
                wanted=desk.week("Mon-Sun 07:30-09:30 61m personal_care"),
                actor=BROKER,
            )
        wanted = desk.week("Mon-Sun 07:30-09:30 60m personal_care", from_day=desk.today - timedelta(days=1))
        with pytest.raises(VariationRefused, match="today or later"):
            desk.run(increase, contract_ref=desk.ref, scheme=desk.scheme, wanted=wanted, actor=BROKER)


def test_a_provider_proposes_and_the_council_decides(database: Database) -> None:
    with database.transaction() as session:
        desk = Desk(session)
        with pytest.raises(VariationRefused, match="3 weeks after"):
            _proposed(desk, SHORTER)
        desk.after(weeks=3)
        with pytest.raises(NothingChanged):
            _proposed(desk, MORNINGS)
        made = _proposed(desk, SHORTER)
        assert Weeks(session, desk.contract).minutes_on(desk.today) == 210  # nothing changes by itself
        with pytest.raises(Forbidden):
            desk.run(agree, variation_ref=made.ref, actor=PROVIDER)

        desk.run(agree, variation_ref=made.ref, actor=BROKER)

        assert Weeks(session, desk.contract).minutes_on(desk.today) == 150
        assert STEPS.allows(VariationState.PROPOSED, "decide")
        assert told(session)[-1] == (f"provider:{PROVIDER_REF}", "change_agreed")


def _proposed(desk: Desk, week: str) -> Variation:
    return desk.run(propose, contract_ref=desk.ref, scheme=desk.scheme, wanted=desk.week(week), actor=PROVIDER)


def test_what_is_agreed_to_after_its_day_changes_the_week_from_that_day_on_and_no_earlier(database: Database) -> None:
    with database.transaction() as session:
        desk = Desk(session)
        desk.after(weeks=3)
        made = _proposed(desk, SHORTER)
        proposed_for = desk.today
        desk.after(days=5)

        desk.run(agree, variation_ref=made.ref, actor=BROKER)

        weeks = Weeks(session, desk.contract)
        assert weeks.minutes_on(proposed_for) == weeks.minutes_on(desk.today - timedelta(days=1)) == 210
        assert (weeks.minutes_on(desk.today), made.from_day) == (150, desk.today)


def test_a_visit_below_the_least_is_no_way_to_reduce_propose_or_increase(database: Database) -> None:
    with database.transaction() as session:
        desk = Desk(session)
        short = desk.week("Mon-Sun 07:30-09:30 10m personal_care; Mon-Sun 12:00-14:00 60m meals")
        for command, actor in ((reduce_as_assessor, PROVIDER), (increase, BROKER)):
            with pytest.raises(VariationRefused, match="10 minutes of personal care are too short"):
                desk.run(command, contract_ref=desk.ref, scheme=desk.scheme, wanted=short, actor=actor)
        desk.after(weeks=3)
        with pytest.raises(VariationRefused, match="10 minutes of personal care are too short"):
            _proposed(desk, "Mon-Sun 07:30-09:30 10m personal_care")


def test_a_refusal_says_why_under_the_persons_key(database: Database) -> None:
    with database.transaction() as session:
        desk = Desk(session)
        desk.after(weeks=3)
        refused, taken_back = _proposed(desk, SHORTER), _proposed(desk, LONGER)

        desk.run(refuse, variation_ref=refused.ref, words=CANARY, actor=BROKER)
        desk.run(withdraw, variation_ref=taken_back.ref, actor=PROVIDER)

        assert (refused.state, taken_back.state) == (VariationState.REFUSED, VariationState.WITHDRAWN)
        assert CANARY not in str(bodies(session))
        assert [row.ref for row in history(session, desk.ref, actor=BROKER)] == [refused.ref, taken_back.ref]
        assert Weeks(session, desk.contract).minutes_on(desk.today) == 210


# Pauses, prices, the end


def test_a_paused_service_restarts_within_four_weeks_and_not_later(database: Database) -> None:
    with database.transaction() as session:
        early, late = Desk(session), Desk(session)
        for desk in (early, late):
            desk.run(
                pause,
                contract_ref=desk.ref,
                scheme=desk.scheme,
                reason=Paused.HOSPITAL,
                from_day=desk.today,
                actor=BROKER,
            )
            assert desk.contract.state is ContractState.SUSPENDED
        early.after(days=28)
        late.after(days=29)

        early.run(resume, contract_ref=early.ref, scheme=early.scheme, actor=BROKER)
        with pytest.raises(VariationRefused, match="4 weeks"):
            late.run(resume, contract_ref=late.ref, scheme=late.scheme, actor=BROKER)

        assert (early.contract.state, late.contract.state) == (ContractState.ACTIVE, ContractState.SUSPENDED)
        with pytest.raises(NoSuchStep):
            early.run(resume, contract_ref=early.ref, scheme=early.scheme, actor=BROKER)


def test_a_pause_begins_on_no_day_before_care_none_that_was_served_and_none_whose_weeks_are_over(
    database: Database,
) -> None:
    with database.transaction() as session:
        desk = Desk(session)
        first, pausing = desk.today, {"scheme": desk.scheme, "reason": Paused.HOSPITAL, "actor": BROKER}
        desk.after(days=10)

        with pytest.raises(BadInput, match="care had not started"):
            desk.run(pause, contract_ref=desk.ref, from_day=first - timedelta(days=1), **pausing)
        desk.deliver(4)
        with pytest.raises(BadInput, match="visits are recorded or stated until"):
            desk.run(pause, contract_ref=desk.ref, from_day=first + timedelta(days=3), **pausing)
        desk.after(days=30)
        with pytest.raises(VariationRefused, match="kept for 4 weeks"):
            desk.run(pause, contract_ref=desk.ref, from_day=desk.today - timedelta(days=29), **pausing)
        desk.run(pause, contract_ref=desk.ref, from_day=desk.today - timedelta(days=28), **pausing)

        assert desk.contract.state is ContractState.SUSPENDED


def test_an_uplift_raises_the_prices_of_contracts_agreed_before(database: Database) -> None:
    with database.transaction() as session:
        desk = Desk(session)
        desk.after(days=1)
        later = desk.today + timedelta(days=30)
        request: dict[str, Any] = {"scheme": desk.scheme, "lot": "personal-care", "from_day": later}

        desk.run(uplift, **request, basis_points=300, actor=COMMISSIONER)

        prices = Prices(session, desk.contract)
        assert [price.pence for price in prices.card_on(later).prices] == [2369, 2163]
        assert [price.pence for price in prices.card_on(later - timedelta(days=1)).prices] == [2300, 2100]
        week = Weeks(session, desk.contract).on(later)
        assert prices.week_on(later, 7350, week) == 7571  # 3 h 30 min at £21.63: £75.705, half up
        assert prices.week_on(later, 7351, week) == 7572  # no such visits: the amount itself, £75.7153
        with pytest.raises(VariationRefused, match="by 5% at most"):
            desk.run(uplift, **request, basis_points=501, actor=COMMISSIONER)
        with pytest.raises(VariationRefused, match="by 3% on this day already"):
            desk.run(uplift, **request, basis_points=201, actor=COMMISSIONER)
        with pytest.raises(Forbidden):
            desk.run(uplift, **request, basis_points=100, actor=BROKER)


def test_a_week_after_a_rise_is_its_visits_at_the_risen_rates() -> None:
    card = RateCard.of(PriceBasis.PER_HOUR, {Band.WEEKDAY: 1_675})
    daily = Schedule((a_visit(minutes=120),))
    assert daily.weekly_minutes == 14 * 60

    assert risen_week(14 * 1_675, card, daily, [300]) == 14 * 1_725  # and not £241.54, the week's price and 3%
    assert risen_week(14 * 1_675, card, daily, [300, 200]) == 14 * 1_760  # £17.25 and 2%: £17.595
    assert risen_week(20_000, card, daily, [300]) == 20_600
    assert risen_week(20_000, card, None, [300, 200]) == 21_012
    assert risen_week(20_000, card, daily, []) == 20_000


def test_what_an_uplift_reaches_is_told_by_the_week_and_the_prices_in_force_on_its_day(database: Database) -> None:
    with database.transaction() as session:
        desk = Desk(session)
        desk.after(days=1)
        longer, dearer = desk.today + timedelta(days=20), desk.today + timedelta(days=30)
        request: dict[str, Any] = {"scheme": desk.scheme, "lot": "personal-care", "actor": COMMISSIONER}
        desk.run(uplift, **request, basis_points=300, from_day=dearer)
        wanted = desk.week(LONGER, from_day=longer)
        desk.run(increase, contract_ref=desk.ref, scheme=desk.scheme, wanted=wanted, actor=BROKER)

        days = (longer - timedelta(days=1), longer, dearer)
        told = [reached(session, scheme=desk.scheme.key, from_day=day, actor=COMMISSIONER) for day in days]

        weeks, prices = Weeks(session, desk.contract), Prices(session, desk.contract)
        in_force = [prices.week_on(day, weeks.pence_on(day), weeks.on(day)) for day in days]
        assert told == [{"personal-care": (1, pence)} for pence in in_force]
        desk.after(weeks=5)
        made = _proposed(desk, SHORTER)
        _registered(desk)
        story = story_of(session, desk.ref, actor=BROKER, today=desk.today)
        assert (
            story.pence_of_weeks[made.ref]
            == prices.week_on(made.from_day, made.weekly_pence or 0, weeks.on(made.from_day))
            > (made.weekly_pence or 0)
        )
        assert in_force == [desk.contract.weekly_pence, 15_100, 15_553]
        with pytest.raises(Forbidden):
            reached(session, scheme=desk.scheme.key, from_day=dearer, actor=BROKER)


def test_what_a_scheme_does_not_name_is_not_allowed(database: Database) -> None:
    with database.transaction() as session:
        desk = Desk(session, scheme=rules(variations={}))
        wanted = desk.week(SHORTER)

        with pytest.raises(VariationRefused, match="no flexes"):
            a_flex(desk)
        for command, actor in ((reduce_as_assessor, PROVIDER), (increase, BROKER), (propose, PROVIDER)):
            with pytest.raises(VariationRefused, match="allows no"):
                desk.run(command, contract_ref=desk.ref, scheme=desk.scheme, wanted=wanted, actor=actor)


@pytest.mark.parametrize(
    ("reason", "days", "short"),
    [
        (HandBackReason.STAFFING, 28, 0),
        (HandBackReason.STAFFING, 7, 21),
        (HandBackReason.SAFETY, 0, 0),
    ],
)
def test_a_short_notice_is_counted_in_days(reason: HandBackReason, days: int, short: int) -> None:
    last_day = NOON.date() + timedelta(days=days)

    assert days_short_of_notice(rules(), reason=reason, told_at=NOON, last_day=last_day) == short
    assert days_short_of_notice(rules(variations={}), reason=reason, told_at=NOON, last_day=last_day) == 0


def test_a_foreign_variation_is_as_missing_as_one_that_never_was(database: Database) -> None:
    with database.transaction() as session:
        made = a_flex(Desk(session))

        for stranger in (OTHER_PROVIDER, NEIGHBOUR):
            with pytest.raises(NotFound):
                find_variation(session, made.ref, actor=stranger)
        found, contract = find_variation(session, made.ref, actor=PROVIDER)
        assert (found.ref, contract.ref) == (made.ref, find_contract(session, contract.ref, actor=BROKER).ref)
        # A run-off moves a provider's whole caseload, and is no variation of one contract.
        assert set(VARIATIONS) == set(type(rules().variations).model_fields) - {"run_off"}
