"""What people write on the way stands under the person's key: in no event, in no row in clear, and gone once erased."""

import hashlib

import pytest
from sqlmodel import SQLModel

from bidding import publishing
from bidding.awards import moving
from bidding.bids import submitting
from bidding.erasing import erase_person
from bidding.otherwise import deciding
from dps.kernel.actors import Actor, Role
from dps.kernel.errors import BadInput
from dps.packages.erasure import ErasureReason, scrub
from dps.packages.persons import Person
from dps.packages.remarks import Remark
from tests.bidding.awards.stories import a_story
from tests.support.world import World

CANARY = "Zebedee Quillfeather fell again."


def every_value(world: World) -> str:
    """Every value of every row, as a dump writes it."""
    with world.database.reading() as session:
        return "\n".join(
            value.hex() if isinstance(value, bytes) else repr(value)
            for table in SQLModel.metadata.sorted_tables
            for row in session.execute(table.select())
            for value in row
        )


def said_in_every_place(world: World) -> str:
    """A referral about which everybody who can has written the canary; it ends withdrawn."""
    story = a_story(world)
    referral = story.referral
    world.run(moving.decline, award_ref=story.award.ref, reason=CANARY, actor=story.best)
    world.run(moving.accept, award_ref=story.award.ref, actor=story.reserve)
    world.run(moving.give_back, award_ref=story.award.ref, reason=CANARY, actor=story.reserve)
    for person in (world.broker, world.second):
        world.run(moving.overturn, award_ref=story.award.ref, reason=CANARY, actor=person)
    world.run(publishing.hold, referral_ref=referral, reason=CANARY, actor=world.broker)
    world.run(publishing.resume, referral_ref=referral, actor=world.broker)
    invited = Actor(ref="somebody", role=Role.PROVIDER, provider=min(world.invited(referral)))
    world.run(submitting.decline, round_ref=world.round(referral).ref, reason=CANARY, actor=invited)
    world.run(publishing.withdraw, referral_ref=referral, reason=CANARY, actor=world.broker)
    return referral


def erased(world: World) -> None:
    (person,) = world.rows(Person)
    world.run(erase_person, person_ref=person.ref, reason=ErasureReason.RETENTION_ENDED, actor=world.second)
    assert scrub(world.database)


def test_what_was_written_is_read_by_the_office_until_the_person_is_erased(world: World) -> None:
    referral = said_in_every_place(world)

    steps = ["decline", "return", "ask_overturn", "agree_overturn", "overturn", "hold", "decline", "withdraw"]
    assert world.said(referral) == [(step, CANARY) for step in steps]
    erased(world)
    assert world.said(referral) == [(step, None) for step in steps]


def test_no_row_and_no_event_ever_holds_it_in_clear(world: World) -> None:
    said_in_every_place(world)

    assert "Quillfeather" not in every_value(world)


def test_nothing_of_it_is_left_after_erasure_and_the_trail_still_holds(world: World) -> None:
    said_in_every_place(world)
    world.timetable.sign_checkpoint()
    sealed = [remark.words for remark in world.rows(Remark)]

    erased(world)

    after = every_value(world)
    assert all(sealed)
    assert not [words for words in sealed if words and words.hex() in after]
    assert world.faults() == []


def test_the_trail_names_the_remark_and_the_digest_of_its_ciphertext(world: World) -> None:
    referral = world.referral()
    world.run(publishing.withdraw, referral_ref=referral, reason=CANARY, actor=world.broker)

    (event,), (remark,) = world.events("referral.withdraw"), world.rows(Remark)
    assert remark.words is not None
    assert event.body["remark"] == remark.ref
    assert event.body["sealed_sha256"] == hashlib.sha256(remark.words).hexdigest()


def test_a_package_placed_otherwise_keeps_its_price_on_the_trail_and_its_reasons_under_the_key(world: World) -> None:
    referral = world.referral()
    how = world.scheme.unfilled.placed_otherwise[0]
    ask = {"referral_ref": referral, "how": how, "weekly_pence": 30_000, "reason": CANARY, "actor": world.broker}
    assert world.state(referral) == "unfilled"

    refused = world.run(deciding.propose, **ask)
    world.run(deciding.refuse, placement_ref=refused.ref, reason=CANARY, actor=world.second)
    approved = world.run(deciding.propose, **ask)
    world.run(deciding.approve, placement_ref=approved.ref, actor=world.second)

    (event,) = world.events("referral.place_otherwise")
    assert (event.body["how"], event.body["weekly_pence"]) == (how, 30_000)
    assert "Quillfeather" not in every_value(world)
    assert world.said(referral) == [("propose", CANARY), ("refuse", CANARY), ("propose", CANARY)]


def test_a_reason_is_given_in_words_or_the_step_is_refused(world: World) -> None:
    world.provider("Synthetic Oak")
    referral = world.referral()

    for reason in ("", "  x ", "x" * 2001):
        with pytest.raises(BadInput, match="reason"):
            world.run(publishing.hold, referral_ref=referral, reason=reason, actor=world.broker)

    assert world.state(referral) == "seeking"
    assert world.rows(Remark) == []
