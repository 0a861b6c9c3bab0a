"""Choices bite where a message is sorted: no letter, a later one, or a count in one digest."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from bidding.looking.narrowing import Narrowing
from dps.kernel.database import Database
from dps.kernel.errors import BadInput
from dps.kernel.outbox import Delivery, OutboxMessage, deliver
from tests.support.world import World
from tests.web.sending.office import letters, reader, sorted_message
from web.security.accounts import Account, Part
from web.sending.choices import Choice, Event, HowOften
from web.sending.chosen import DIGEST, MOST_FILTERS, choose, filters_of, remove_filter, save_filter
from web.sending.sorting import Sorter
from web.sending.writing import written


@pytest.fixture
def world(database: Database, tmp_path: Path) -> World:
    return World(database, tmp_path)


def chosen(world: World, account: Account, choice: Choice) -> None:
    with world.database.transaction() as session:
        choose(session, account_id=account.id or 0, choice=choice, now=world.now)


def carried(world: World, at: datetime) -> None:
    """What is due at this instant leaves the outbox."""
    world.clock.move_to(at)
    with world.database.transaction() as session:
        deliver(session, Sorter(world.ports.entropy, spool=None), at)


def all_by(often: HowOften) -> Mapping[Event, HowOften]:
    return dict.fromkeys(Event, often)


def test_three_messages_become_one_digest_that_counts_them_and_leaves_at_its_hour(world: World) -> None:
    oak = world.provider("Oak").provider
    ann, bob = (reader(world, Part.PROVIDER_USER, name, provider=oak) for name in ("ann", "bob"))
    chosen(world, ann, Choice(often=all_by(HowOften.DIGEST), digest_minute=8 * 60))
    to = f"provider:{oak}"
    for kind in ("debrief_ready", "debrief_ready", "question_answered"):
        sorted_message(world, recipient=to, kind=kind, about="RND-7K3M-9QXR-4TDC")

    assert [letter.account_id for letter in letters(world)] == [bob.id] * 3
    (digest,) = world.rows(OutboxMessage, OutboxMessage.kind == DIGEST)
    assert digest.facts == {"counts": {"debrief_ready": 2, "question_answered": 1}}
    carried(world, digest.not_before - timedelta(seconds=1))
    assert len(letters(world)) == 3
    carried(world, digest.not_before)

    assert [letter.account_id for letter in letters(world)] == [bob.id] * 3 + [ann.id]
    letter = written(digest, site="https://care.example.org", keyring=world.ports.keyring)
    assert letter.subject == "What happened since your last digest"
    assert "2 × How your bid fared" in letter.text
    assert "2 × How your bid fared" in letter.html
    assert ann.ref not in letter.text + letter.html


def test_a_digest_that_left_is_not_added_to(world: World) -> None:
    oak = world.provider("Oak").provider
    ann = reader(world, Part.PROVIDER_USER, "ann", provider=oak)
    chosen(world, ann, Choice(often=all_by(HowOften.DIGEST)))
    to = f"provider:{oak}"
    sorted_message(world, recipient=to, kind="debrief_ready", about="RND-7K3M-9QXR-4TDC")
    (first,) = world.rows(OutboxMessage, OutboxMessage.kind == DIGEST)
    carried(world, first.not_before)
    sorted_message(world, recipient=to, kind="debrief_ready", about="RND-7K3M-9QXR-4TDC")

    _, second = world.rows(OutboxMessage, OutboxMessage.kind == DIGEST)
    assert second.not_before == first.not_before + timedelta(days=1)
    assert second.delivery is Delivery.QUEUED


def test_who_wants_none_gets_none_but_an_award_comes_all_the_same_and_nothing_is_given_up(world: World) -> None:
    oak = world.provider("Oak").provider
    ann = reader(world, Part.PROVIDER_USER, "ann", provider=oak)
    chosen(world, ann, Choice(often=all_by(HowOften.NEVER), quiet_minutes=(0, 23 * 60 + 59)))

    sorted_message(world, recipient=f"provider:{oak}", kind="debrief_ready", about="RND-7K3M-9QXR-4TDC")
    assert letters(world) == []
    sorted_message(world, recipient=f"provider:{oak}", kind="award_offered")

    (letter,) = letters(world)
    assert (letter.account_id, letter.not_before, letter.delivery) == (ann.id, world.now, Delivery.QUEUED)


def test_quiet_hours_put_a_letter_off(world: World) -> None:
    oak = world.provider("Oak").provider
    ann = reader(world, Part.PROVIDER_USER, "ann", provider=oak)
    local = world.now.hour * 60
    chosen(world, ann, Choice(quiet_minutes=(local, local + 120)))

    sorted_message(world, recipient=f"provider:{oak}", kind="debrief_ready", about="RND-7K3M-9QXR-4TDC")

    (letter,) = letters(world)
    assert letter.not_before == world.now + timedelta(hours=2)


def test_only_invitations_that_fit_a_saved_filter_come_at_once(world: World) -> None:
    provider = world.provider("Oak")
    ann = reader(world, Part.PROVIDER_USER, "ann", provider=provider.provider)
    chosen(world, ann, Choice(only_saved=True))
    here, there = (place.key for place in world.scheme.localities[:2])
    with world.database.transaction() as session:
        save_filter(session, account_id=ann.id or 0, name="Here", wanted=Narrowing(area=here), now=world.now)
    wanted, other = world.round(world.referral(locality=here)).ref, world.round(world.referral(locality=there)).ref

    carried(world, world.now)

    about = {row.id: row.about for row in world.rows(OutboxMessage)}
    assert {about[letter.message_id] for letter in letters(world)} == {wanted}
    (digest,) = world.rows(OutboxMessage, OutboxMessage.kind == DIGEST)
    assert digest.facts == {"counts": {"invitation": 1}}
    assert other != wanted


def test_filters_are_named_replaced_removed_and_bounded(world: World) -> None:
    ann = reader(world, Part.PROVIDER_USER, "ann", provider=world.provider("Oak").provider)
    with world.database.transaction() as session:
        id_, now = ann.id or 0, world.now
        for number in range(MOST_FILTERS):
            save_filter(session, account_id=id_, name=f"{number:02}", wanted=Narrowing(carers=1), now=now)
        save_filter(session, account_id=id_, name="00", wanted=Narrowing(carers=2), now=now)
        with pytest.raises(BadInput, match="remove one first"):
            save_filter(session, account_id=id_, name="one more", wanted=Narrowing(carers=1), now=now)
        with pytest.raises(BadInput, match="at least one filter"):
            save_filter(session, account_id=id_, name="00", wanted=Narrowing(), now=now)
        remove_filter(session, account_id=id_, name="01")

        assert [one.name for one in filters_of(session, id_)] == ["00", *(f"{number:02}" for number in range(2, 20))]
        assert filters_of(session, id_)[0].wanted == Narrowing(carers=2)
