"""Clarification questions: answered to everybody invited at once, who asked is shown to nobody, words under the key."""

import pytest
from sqlmodel import select

from bidding.erasing import erase_person
from bidding.publishing import withdraw
from bidding.questions import MOST_UNANSWERED, Question, answer, ask, questions_of_referral, questions_of_round
from dps.kernel.audit import AuditEvent
from dps.kernel.errors import BadInput, Forbidden, NoSuchStep, NotFound, Refused, TooLate
from dps.kernel.outbox import OutboxMessage
from dps.packages.erasure import ErasureReason, scrub
from dps.packages.persons import Person
from tests.bidding.test_remarks import every_value
from tests.support.world import World

ASKED = "We at Zebedee Homecare wonder: is there a hoist?"
SHOWN = "Is there a hoist?"
SAID = "Yes, a ceiling hoist, serviced in January."


def read(world: World, round_ref: str, actor: object) -> list[tuple[str | None, str | None, bool]]:
    with world.database.reading() as session:
        found = questions_of_round(session, world.ports.keyring, round_ref=round_ref, actor=actor)  # type: ignore[arg-type]
        return [(one.question, one.answer, one.is_own) for one in found]


def test_a_question_is_answered_to_everybody_invited_at_once_and_nobody_learns_who_asked(world: World) -> None:
    asker, other = world.provider("Zebedee Homecare"), world.provider("Other")
    referral = world.referral()
    round_ = world.round(referral).ref
    ref = world.run(ask, round_ref=round_, words=ASKED, actor=asker)

    assert read(world, round_, asker) == [(ASKED, None, True)]
    assert read(world, round_, other) == []
    with world.database.reading() as session:
        (seen,) = questions_of_referral(session, world.ports.keyring, referral_ref=referral, actor=world.broker)
    assert str(asker.provider) not in repr(seen)
    assert world.said(referral) == []
    world.run(answer, question_ref=ref, shown=SHOWN, words=SAID, actor=world.broker)

    assert read(world, round_, asker) == [(SHOWN, SAID, True)]
    assert read(world, round_, other) == [(SHOWN, SAID, False)]
    told = world.rows(OutboxMessage, OutboxMessage.kind == "question_answered")
    assert {message.recipient for message in told} == {f"provider:{asker.provider}", f"provider:{other.provider}"}
    assert len({message.posted_at for message in told}) == 1
    assert [message.recipient for message in world.rows(OutboxMessage, OutboxMessage.kind == "question_asked")] == [
        f"authority:{world.authority}"
    ]
    assert world.faults() == []


def test_no_event_says_who_asked_or_what(world: World) -> None:
    asker = world.provider("Zebedee Homecare")
    referral = world.referral()
    ref = world.run(ask, round_ref=world.round(referral).ref, words=ASKED, actor=asker)
    world.run(answer, question_ref=ref, shown=SHOWN, words=SAID, actor=world.broker)

    facts = [event.body for event in world.rows(AuditEvent, AuditEvent.stream == ref)]

    assert len(facts) == 2
    assert str(asker.provider) not in repr(facts)
    assert "hoist" not in repr(facts)


def test_words_are_sealed_under_the_person_s_key_and_gone_with_it(world: World) -> None:
    asker = world.provider("Zebedee Homecare")
    referral = world.referral()
    round_ = world.round(referral).ref
    ref = world.run(ask, round_ref=round_, words=ASKED, actor=asker)
    world.run(answer, question_ref=ref, shown=SHOWN, words=SAID, actor=world.broker)
    assert "hoist" not in every_value(world)
    world.run(withdraw, referral_ref=referral, reason="Moved away.", actor=world.broker)
    (person,) = world.rows(Person)
    world.run(erase_person, person_ref=person.ref, reason=ErasureReason.RETENTION_ENDED, actor=world.second)
    assert scrub(world.database)

    assert read(world, round_, asker) == [(None, None, True)]
    assert world.faults() == []


def test_nothing_is_asked_at_or_after_the_closing(world: World) -> None:
    asker = world.provider("Late")
    referral = world.referral()
    world.clock.move_to(world.closes_at(referral))

    with pytest.raises(TooLate):
        world.run(ask, round_ref=world.round(referral).ref, words=ASKED, actor=asker)

    assert world.rows(Question) == []


def test_who_was_not_invited_and_another_authority_s_broker_find_nothing(world: World) -> None:
    asker = world.provider("Invited")
    referral = world.referral()
    stranger = world.provider("Came later")
    round_ = world.round(referral).ref
    ref = world.run(ask, round_ref=round_, words=ASKED, actor=asker)
    elsewhere = world.acting_for("another-council").broker

    with pytest.raises(NotFound):
        world.run(ask, round_ref=round_, words=ASKED, actor=stranger)
    with pytest.raises(NotFound):
        read(world, round_, stranger)
    with pytest.raises(NotFound):
        world.run(answer, question_ref=ref, shown=SHOWN, words=SAID, actor=elsewhere)
    with pytest.raises(Forbidden):
        world.run(answer, question_ref=ref, shown=SHOWN, words=SAID, actor=world.second)
    with pytest.raises(Forbidden):
        world.run(ask, round_ref=round_, words=ASKED, actor=world.broker)


def test_a_question_is_answered_once_and_in_words(world: World) -> None:
    asker = world.provider("Invited")
    ref = world.run(ask, round_ref=world.round(world.referral()).ref, words=ASKED, actor=asker)

    with pytest.raises(BadInput):
        world.run(answer, question_ref=ref, shown=SHOWN, words=" ", actor=world.broker)
    world.run(answer, question_ref=ref, shown=SHOWN, words=SAID, actor=world.broker)
    with pytest.raises(NoSuchStep):
        world.run(answer, question_ref=ref, shown=SHOWN, words="No.", actor=world.broker)
    with world.database.reading() as session:
        assert len(session.exec(select(Question)).all()) == 1


def test_a_flood_of_questions_is_refused_until_some_are_answered(world: World) -> None:
    asker = world.provider("Curious")
    round_ = world.round(world.referral()).ref
    refs = [world.run(ask, round_ref=round_, words=ASKED, actor=asker) for _ in range(MOST_UNANSWERED)]

    with pytest.raises(Refused):
        world.run(ask, round_ref=round_, words=ASKED, actor=asker)
    world.run(answer, question_ref=refs[0], shown=SHOWN, words=SAID, actor=world.broker)

    assert world.run(ask, round_ref=round_, words=ASKED, actor=asker)
