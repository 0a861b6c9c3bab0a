"""A message is sorted once; each letter is tried until it leaves or is given up, and what did not arrive is seen."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from dps.kernel.database import Database
from dps.kernel.outbox import ATTEMPTS, Delivery, OutboxMessage, deliver, post
from tests.support.race import race
from tests.support.world import World
from tests.web.sending.office import Told, letters, reader, sorted_message
from web.security.accounts import Account, Part
from web.sending.carrying import LetterRound
from web.sending.letters import NOBODY, Change, Channel, Undeliverable, claim, note, send_again, undelivered
from web.sending.sorting import Sorter
from web.sending.writing import written

SQLITE = pytest.mark.parametrize("database_kind", ["sqlite"])


@pytest.fixture
def world(database: Database, tmp_path: Path) -> World:
    return World(database, tmp_path)


def carried_by(world: World, told: Told) -> int:
    return LetterRound(world.database, world.ports, [told]).make()


def test_a_provider_s_open_accounts_are_each_written_to(world: World) -> None:
    oak = world.provider("Oak").provider
    ann, bob = (reader(world, Part.PROVIDER_USER, name, provider=oak) for name in ("ann", "bob"))
    closed = reader(world, Part.PROVIDER_ADMIN, "eve", provider=oak)
    reader(world, Part.PROVIDER_USER, "other", provider=world.provider("Elm").provider)
    with world.database.transaction() as session:
        session.get_one(Account, closed.id).closed_at = world.now

    sorted_message(world, recipient=f"provider:{oak}")

    assert {letter.account_id for letter in letters(world)} == {ann.id, bob.id}


@SQLITE
def test_what_waits_for_a_decision_goes_to_those_who_decide_and_the_rest_to_brokers(world: World) -> None:
    broker, approver = reader(world, Part.BROKER, "ann"), reader(world, Part.APPROVER, "bob")
    reader(world, Part.COMMISSIONER, "cat")

    decide = sorted_message(world, recipient=f"authority:{world.authority}", kind="award_to_approve")
    told = sorted_message(world, recipient=f"authority:{world.authority}", kind="referral_unfilled")

    read_by = {(letter.message_id, letter.account_id) for letter in letters(world)}
    assert read_by == {(decide.id, broker.id), (decide.id, approver.id), (told.id, broker.id)}


@SQLITE
@pytest.mark.parametrize(
    ("kind", "parts", "about", "page"),
    [
        ("location_to_check", {Part.REGISTER_OFFICER}, "LCN-7K3M-9QXR-4TDC", "/register/locations/LCN-7K3M-9QXR-4TDC"),
        ("application_to_decide", {Part.REGISTER_OFFICER}, "APP-1", "/register/applications/APP-1"),
        ("flex_to_sign", {Part.APPROVER}, "CON-1", "/desk/contracts/CON-1"),
        ("flex_told", {Part.BROKER}, "CON-1", "/desk/contracts/CON-1"),
        ("statement_agreed", {Part.APPROVER}, "PAY-1", "/desk/statements/PAY-1"),
        ("score_appealed", {Part.COMMISSIONER}, "SCR-1", "/office/quality"),
    ],
)
def test_what_waits_for_a_part_is_read_by_that_part_alone_and_leads_to_its_page(
    world: World, kind: str, parts: set[Part], about: str, page: str
) -> None:
    everybody = {
        reader(world, part, str(part)).id: part
        for part in (Part.BROKER, Part.APPROVER, Part.COMMISSIONER, Part.REGISTER_OFFICER)
    }

    message = sorted_message(world, recipient=f"authority:{world.authority}", kind=kind, about=about)

    assert {everybody[letter.account_id] for letter in letters(world)} == parts
    text = written(message, site="https://care.example.org", keyring=world.ports.keyring).text
    assert text.count(f"https://care.example.org{page}\n") == 1


@SQLITE
def test_what_is_urgent_goes_to_the_mobile_as_well_where_there_is_one(world: World) -> None:
    oak = world.provider("Oak").provider
    ann = reader(world, Part.PROVIDER_USER, "ann", provider=oak)
    reader(world, Part.PROVIDER_USER, "bob", provider=oak)
    with world.database.transaction() as session:
        session.get_one(Account, ann.id).mobile = "+447700900001"

    sorted_message(world, recipient=f"provider:{oak}", kind="award_offered", by_text=True)
    sorted_message(world, recipient=f"provider:{oak}", kind="debrief_ready", by_text=True)

    assert [letter.account_id for letter in letters(world) if letter.channel is Channel.TEXT] == [ann.id]


def test_whom_nobody_could_be_found_for_is_seen_as_undelivered(world: World) -> None:
    oak = world.provider("Oak").provider
    message = sorted_message(world, recipient=f"provider:{oak}")

    with world.database.reading() as session:
        (found,) = undelivered(session)
        others = undelivered(session, about=["AWD-0000-0000-0000"])

    assert (found.about, found.delivery, found.error) == (message.about, Delivery.GIVEN_UP, NOBODY)
    assert others == []


def test_the_feed_s_numbers_are_given_in_the_order_in_which_they_can_be_seen(world: World) -> None:
    reader(world, Part.BROKER)
    with world.database.transaction() as session:
        for number in range(40):
            recipient = f"authority:{world.authority}"
            post(session, world.ports.entropy, recipient=recipient, kind="told", about=f"REF-{number}", now=world.now)

    def sort_some() -> int:
        total = 0
        while left := world.database.run(
            lambda session: deliver(session, Sorter(world.ports.entropy, spool=None), world.now, limit=5)
        ):
            total += left
        return total

    sorts: list[Callable[[], int]] = [sort_some] * 3

    assert sum(left for left in race(sorts) if isinstance(left, int)) == 40
    changes = world.rows(Change)
    assert len({change.message_id for change in changes}) == 40
    assert [change.id for change in changes] == sorted(change.id or 0 for change in changes)


def test_a_letter_that_fails_keeps_its_reference_and_is_tried_again_at_a_growing_distance(world: World) -> None:
    reader(world, Part.BROKER)
    sorted_message(world, recipient=f"authority:{world.authority}")
    told = Told(answers=[OSError(), OSError(), None])

    sent = [carried_by(world, told)]
    for minutes in (1, 2):
        sent.append(carried_by(world, told))
        world.clock.move_to(world.now + timedelta(minutes=minutes))
        sent.append(carried_by(world, told))

    (letter,) = letters(world)
    assert sent == [0, 0, 0, 0, 1]
    assert told.carried == [letter.ref] * 3
    assert (letter.delivery, letter.attempts, letter.last_error) == (Delivery.SENT, 3, None)


@SQLITE
def test_while_it_fails_a_letter_is_seen_as_undelivered_and_no_longer_once_it_arrived(world: World) -> None:
    reader(world, Part.BROKER)
    sorted_message(world, recipient=f"authority:{world.authority}")

    def seen() -> list[str | None]:
        with world.database.reading() as session:
            return [one.error for one in undelivered(session)]

    before = seen()
    carried_by(world, Told(answers=[ConnectionRefusedError()]))
    failing = seen()
    world.clock.move_to(world.now + timedelta(minutes=1))
    carried_by(world, Told())

    assert (before, failing, seen()) == ([], ["ConnectionRefusedError"], [])


@SQLITE
def test_what_is_refused_for_good_is_given_up_at_once_and_can_be_sent_again(world: World) -> None:
    reader(world, Part.BROKER)
    sorted_message(world, recipient=f"authority:{world.authority}")
    carried_by(world, Told(answers=[Undeliverable("refused with 550")]))
    (given_up,) = letters(world)

    with world.database.transaction() as session:
        is_queued = send_again(session, ref=given_up.ref, now=world.now)
        is_none = send_again(session, ref="MSG-0000-0000-0000", now=world.now)
    again = Told()
    carried_by(world, again)

    assert (given_up.delivery, given_up.last_error) == (Delivery.GIVEN_UP, "refused with 550")
    assert (is_queued, is_none) == (True, False)
    assert again.carried == [given_up.ref]
    assert letters(world)[0].delivery is Delivery.SENT


@SQLITE
def test_after_its_last_attempt_a_letter_is_given_up(world: World) -> None:
    reader(world, Part.BROKER)
    sorted_message(world, recipient=f"authority:{world.authority}")
    begun = world.now

    for _ in range(ATTEMPTS):
        carried_by(world, Told(answers=[OSError()]))
        world.clock.move_to(world.now + timedelta(hours=1))

    (letter,) = letters(world)
    assert (letter.delivery, letter.attempts) == (Delivery.GIVEN_UP, ATTEMPTS)
    assert world.now - begun > timedelta(days=2)


def test_a_letter_is_one_worker_s_until_its_lease_ends_and_who_was_overtaken_notes_nothing(world: World) -> None:
    reader(world, Part.BROKER)
    sorted_message(world, recipient=f"authority:{world.authority}")

    claimed = race([lambda: claim(world.database, world.ports, Channel.MAIL)] * 2)
    (first,) = [parcel for parcels in claimed if isinstance(parcels, list) for parcel in parcels]
    world.clock.move_to(world.now + timedelta(minutes=5))
    (later,) = claim(world.database, world.ports, Channel.MAIL)
    note(world.database, world.ports, first, OSError())
    note(world.database, world.ports, later, None)

    (letter,) = letters(world)
    assert (letter.delivery, letter.attempts, letter.last_error) == (Delivery.SENT, 2, None)


@SQLITE
def test_a_message_that_became_a_file_is_in_the_feed_and_in_nobody_s_mail(world: World) -> None:
    reader(world, Part.BROKER)
    with world.database.transaction() as session:
        post(session, world.ports.entropy, recipient=f"authority:{world.authority}", kind="k", about="a", now=world.now)

    with world.database.transaction() as session:
        deliver(session, Sorter(world.ports.entropy, spool=world.postman), world.now)

    assert [message.about for message in world.postman.messages] == ["a"]
    assert (len(world.rows(Change)), letters(world)) == (1, [])
    assert world.rows(OutboxMessage)[0].delivery is Delivery.SENT


@SQLITE
def test_a_clock_of_the_law_is_told_to_those_who_answer_for_the_scheme(world: World) -> None:
    everybody = {
        reader(world, part, str(part)).id: part
        for part in (Part.BROKER, Part.APPROVER, Part.COMMISSIONER, Part.REGISTER_OFFICER)
    }

    sorted_message(world, recipient=f"authority:{world.authority}", kind="law_due")

    assert {everybody[letter.account_id] for letter in letters(world)} == {Part.COMMISSIONER, Part.REGISTER_OFFICER}
