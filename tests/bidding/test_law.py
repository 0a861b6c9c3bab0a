"""The law's clocks over a council: a message ahead, once; at the limit no publication, and no person made to wait."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from bidding import aftercare, publishing
from bidding.awards import moving
from dps.contracts.reasons import FailureReason
from dps.kernel.actors import Actor, Role
from dps.kernel.database import Database
from dps.kernel.errors import BadInput, Forbidden, LimitPassed, NotFound, NotReady, OutOfTerm, TermReplaced
from dps.kernel.outbox import OutboxMessage
from dps.law.clocks import Clock, Due
from dps.law.notices import LegalNotice, record_notice
from dps.law.watch import clocks_seen, publish_new_rules
from dps.packages.facts import FundingStream
from dps.register.applications import draft, submit
from dps.schemes.loader import preset
from dps.schemes.model import LegalBasis, Term
from tests.scenarios.serving import on_sqlite
from tests.support.world import World

ALL_DAY = "Mon-Sun 06:00-18:00 720m x2 personal_care; Mon-Sun 20:00-23:00 120m x2 personal_care"


@pytest.fixture
def world(database: Database, tmp_path: Path) -> World:
    return World(database, tmp_path, "liverpool")


def every_clock(world: World, actor: Actor | None = None) -> list[Due]:
    with world.database.reading() as session:
        return clocks_seen(session, scheme=world.scheme.key, actor=actor or world.commissioner)


def due(world: World, actor: Actor | None = None) -> dict[Clock, Due]:
    return {one.clock: one for one in every_clock(world, actor)}


def record(world: World, clock: Clock, about: str = "", *, on: date | None = None) -> LegalNotice:
    with world.database.transaction() as session:
        return record_notice(
            session,
            scheme=world.scheme,
            clock=clock,
            about=about,
            number="2019/S 100-1",
            published_on=on or world.now.date(),
            actor=world.commissioner,
            now=world.now,
        )


def warned(world: World) -> list[tuple[str, str]]:
    return [(row.recipient, row.facts["clock"]) for row in world.rows(OutboxMessage, OutboxMessage.kind == "law_due")]


def test_staged_lists_warn_once_then_bar_publication_until_they_are_told(world: World) -> None:
    world.step(days=20)
    world.step(days=1)
    assert warned(world) == [("authority:liverpool", "tiers")]

    waiting = world.referral(publish_it=False)
    world.step(days=9)
    with pytest.raises(LimitPassed, match="publish who is on which"):
        world.publish(waiting)

    record(world, Clock.TIERS)
    world.publish(world.referral(publish_it=False))
    assert Clock.TIERS not in due(world)
    assert record(world, Clock.TIERS).id == record(world, Clock.TIERS).id


def test_a_withdrawn_right_to_publish_is_not_walked_round_by_resuming_or_restarting(world: World) -> None:
    unfilled = world.referral()
    world.provider("Synthetic Oak")
    held = world.referral()
    world.run(publishing.hold, referral_ref=held, reason="The family decides first.", actor=world.broker)
    assert world.state(unfilled) == "unfilled"
    world.clock.move_to(world.now + timedelta(days=40))
    swept = world.timetable.sweep()

    for again, referral in ((publishing.resume, held), (publishing.restart_unfilled, unfilled)):
        with pytest.raises(LimitPassed, match="publish who is on which"):
            world.run(again, referral_ref=referral, actor=world.broker)
    assert "restarts" not in swept.done
    assert (world.state(held), world.state(unfilled)) == ("held", "unfilled")

    record(world, Clock.TIERS)
    world.run(publishing.resume, referral_ref=held, actor=world.broker)
    assert world.timetable.sweep().done["restarts"] == 1
    assert (world.state(held), world.state(unfilled)) == ("seeking", "seeking")


@on_sqlite
@pytest.mark.parametrize(("is_over", "state"), [(False, "seeking"), (True, "unfilled")])
def test_care_that_breaks_off_is_brokered_again_while_the_term_runs_and_else_left_unfilled_and_told(
    database: Database, tmp_path: Path, is_over: bool, state: str
) -> None:
    liverpool = preset("liverpool")
    assert liverpool.demo is not None
    ends = liverpool.demo.starts_at.date() + timedelta(days=40 if is_over else 400)
    term = liverpool.term.model_copy(update={"ends": ends})
    world = World(database, tmp_path, liverpool.model_copy(update={"term": term}))
    provider, _ = world.provider("Synthetic Winner"), world.provider("Synthetic Other")
    referral = world.referral()
    world.accept_in_window(provider, referral)
    world.close(referral)
    contract = world.run(moving.confirm, award_ref=world.award(referral).ref, actor=provider)
    world.clock.move_to(world.now + timedelta(days=40))  # nobody was told of the staged lists
    with pytest.raises(OutOfTerm if is_over else LimitPassed):
        world.referral()

    reason = FailureReason.PROVIDER_COULD_NOT
    world.run(aftercare.fail_to_start, contract_ref=contract, reason=reason, actor=provider)

    told = world.rows(OutboxMessage, OutboxMessage.kind == "referral_unfilled")
    assert (world.state(referral), len(told)) == (state, int(is_over))


@on_sqlite
def test_a_worker_looks_at_the_laws_clocks_once_a_day(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[date] = []
    monkeypatch.setattr("dps.law.watch.warn", lambda _session, ports: looked.append(ports.clock.read(_session).date()))

    for hours in (1, 1, 24, 1):
        world.step(hours=hours)

    assert looked == [world.now.date() - timedelta(days=1), world.now.date()]


def test_an_application_left_alone_warns_and_bars_new_rules_but_no_referral(world: World) -> None:
    provider = world.provider("Synthetic Applicant")
    applied(world, provider)
    limit = due(world)[Clock.APPLICATION].limit
    changed = world.scheme.model_copy(update={"name": "Changed"})

    world.clock.move_to(world.now + timedelta(days=(limit - world.now.date()).days))

    with pytest.raises(LimitPassed, match="waits for its answer"), world.database.transaction() as session:
        publish_new_rules(session, changed, world.commissioner, world.now)
    assert world.state(world.referral()) == "seeking"


def applied(world: World, provider: Actor) -> None:
    answers = {
        question.key: {"yes_no": True, "percent": 10, "number": 1, "text": "As asked."}[question.kind]
        for question in world.scheme.admission.questions
    }
    application = world.run(
        draft,
        provider_id=world.row_of(provider).id or 0,
        scheme=world.scheme,
        lots=[world.scheme.lots[0].key],
        localities=[world.scheme.localities[0].key],
        answers=answers,
        actor=provider,
    )
    world.run(submit, application=application, scheme=world.scheme, actor=provider)


def test_a_contract_above_the_threshold_has_its_notice_due_and_a_recorded_one_stops_the_clock(world: World) -> None:
    provider = world.provider("Synthetic Winner", hours=400)
    referral = world.referral(visits=ALL_DAY)
    world.accept_in_window(provider, referral)
    world.close(referral)
    for who in (world.broker, world.second):
        world.run(moving.approve, award_ref=world.award(referral).ref, actor=who)
    contract = world.run(moving.confirm, award_ref=world.award(referral).ref, actor=provider)
    assert world.award(referral).weekly_pence * 208 > 615_278_00

    notice = due(world)[Clock.NOTICE]
    assert notice.about == contract
    assert notice.limit == date(2019, 7, 31)  # 30 days after the quarter in which it was agreed
    assert "agreed with Synthetic Winner on" in notice.words
    assert "within 30 days of the end of the quarter" in notice.words

    record(world, Clock.NOTICE, contract)
    assert Clock.NOTICE not in due(world)


def test_of_the_small_contracts_only_those_for_the_nhs_are_told(database: Database, tmp_path: Path) -> None:
    old = preset("liverpool")
    assert old.demo is not None
    starts = datetime(2024, 3, 4, 9, 0, tzinfo=UTC)
    later = {"term": Term(starts=date(2024, 1, 8)), "demo": old.demo.model_copy(update={"starts_at": starts})}
    world = World(database, tmp_path, old.model_copy(update=later))
    provider = world.provider("Synthetic Winner", hours=400)
    contracts = {}
    for funding in (FundingStream.COUNCIL, FundingStream.CHC):
        referral = world.referral(funding=funding)
        world.accept_in_window(provider, referral)
        world.close(referral)
        contracts[funding] = world.run(moving.confirm, award_ref=world.award(referral).ref, actor=provider)

    assert [one.about for one in every_clock(world) if one.clock is Clock.NOTICE] == [contracts[FundingStream.CHC]]


def test_a_joint_package_is_not_published_until_its_basis_is_chosen(world: World) -> None:
    with pytest.raises(NotReady, match="under which regulations"):
        world.publish(world.referral(publish_it=False, funding=FundingStream.JOINT))
    with pytest.raises(NotReady, match="under which regulations"):  # not in force in 2019
        world.publish(world.referral(publish_it=False, funding=FundingStream.JOINT, legal_basis=LegalBasis.PSR))

    both = world.referral(publish_it=False, funding=FundingStream.JOINT, legal_basis=LegalBasis.PSR, needs=None)
    with pytest.raises(NotReady) as refused:
        world.publish(both)
    assert len(refused.value.missing) == 2

    world.provider("Synthetic Bidder")
    chosen = world.referral(funding=FundingStream.JOINT, legal_basis=LegalBasis.NHS_2013)

    assert world.state(chosen) == "seeking"


@on_sqlite
def test_a_basis_is_chosen_for_joint_packages_alone_and_among_those_that_apply(world: World) -> None:
    with pytest.raises(BadInput, match="only a jointly funded"):
        world.referral(funding=FundingStream.CHC, legal_basis=LegalBasis.PSR)
    with pytest.raises(BadInput, match="bought under one of"):
        world.referral(funding=FundingStream.JOINT, legal_basis=LegalBasis.DYNAMIC_MARKET)


@on_sqlite
def test_an_open_framework_that_was_not_reopened_takes_no_referral(database: Database, tmp_path: Path) -> None:
    old = preset("cornwall")
    assert old.demo is not None
    starts = old.demo.starts_at.date()
    term = Term(starts=starts, ends=starts.replace(year=starts.year + 8))
    world = World(database, tmp_path, old.model_copy(update={"legal_basis": LegalBasis.OPEN_FRAMEWORK, "term": term}))
    world.provider("Synthetic Bidder")
    assert world.state(world.referral()) == "seeking"

    held = world.referral()
    world.run(publishing.hold, referral_ref=held, reason="The family decides first.", actor=world.broker)
    world.clock.move_to(world.now.replace(year=starts.year + 3))

    with pytest.raises(LimitPassed, match="must be reopened"):
        world.referral()
    with pytest.raises(LimitPassed, match="must be reopened"):
        world.run(publishing.resume, referral_ref=held, actor=world.broker)
    with pytest.raises(BadInput, match="still to come"):
        publish(world, term.model_copy(update={"reopened": (world.now.date() + timedelta(days=1),)}))

    publish(world, term.model_copy(update={"reopened": (world.now.date(),)}))
    world.run(publishing.resume, referral_ref=held, actor=world.broker)
    assert world.state(held) == "unfilled"  # sought again: its provider's papers ran out meanwhile


def publish(world: World, term: Term) -> None:
    with world.database.transaction() as session:
        changed = world.scheme.model_copy(update={"term": term})
        publish_new_rules(session, changed, world.commissioner, world.now)


@on_sqlite
def test_what_was_published_under_an_earlier_term_is_copied_and_sought_under_the_new_one(world: World) -> None:
    world.provider("Synthetic Bidder")
    held = world.referral()
    world.run(publishing.hold, referral_ref=held, reason="The family decides first.", actor=world.broker)
    ends = world.scheme.term.ends
    assert ends is not None
    publish(world, Term(starts=world.scheme.term.starts, ends=ends.replace(year=ends.year + 2)))
    world.clock.move_to(datetime.combine(ends, world.now.timetz()))

    with pytest.raises(TermReplaced, match="copy it for the same person"):
        world.run(publishing.resume, referral_ref=held, actor=world.broker)


@on_sqlite
def test_clocks_are_for_those_who_answer_for_the_scheme(world: World) -> None:
    with pytest.raises(Forbidden):
        due(world, world.broker)
    with pytest.raises(NotFound):
        due(world, Actor("commissioner-9", Role.COMMISSIONER, authority="elsewhere"))


@on_sqlite
@pytest.mark.parametrize(
    ("clock", "about", "days", "fault"),
    [
        (Clock.TERM, "", 0, "no notice stops"),
        (Clock.TIERS, "", 1, "still to come"),
    ],
)
def test_a_notice_that_stops_nothing_is_refused(world: World, clock: Clock, about: str, days: int, fault: str) -> None:
    with pytest.raises(BadInput, match=fault):
        record(world, clock, about, on=world.now.date() + timedelta(days=days))


@on_sqlite
def test_a_notice_of_nobodys_contract_is_refused(world: World) -> None:
    with pytest.raises(NotFound):
        record(world, Clock.NOTICE, "CON-0000-0000-0000")
