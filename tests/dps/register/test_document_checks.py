"""What a provider sends counts once an officer has confirmed it, and never by its own word."""

from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path

import pytest

from dps.kernel.actors import Actor, Role
from dps.kernel.database import Database
from dps.kernel.errors import BadInput, Forbidden, NeedsSecondPerson, NoSuchStep, NotFound
from dps.kernel.outbox import OutboxMessage
from dps.register.desk import documents_ending
from dps.register.document_checks import (
    confirm_document,
    document_to_check,
    documents_to_check,
    refuse_document,
)
from dps.register.document_files import receive_file, received_documents
from dps.register.documents import Document, DocumentCheck, latest_documents, receive
from dps.register.interests import declare_interest
from tests.support.world import World

KIND = "trusted_assessor"
PDF = b"%PDF-1.7 a synthetic accreditation"


@pytest.fixture
def world(database: Database, tmp_path: Path) -> World:
    return World(database, tmp_path)


def sent(
    world: World, provider: Actor, *, days: int = 100, content: bytes = PDF, actor: Actor | None = None
) -> Document:
    """The provider sends an accreditation; or an officer brings it."""
    until = world.now.date() + timedelta(days=days)
    return world.run(
        receive_file,
        provider_id=world.row_of(provider).id or 0,
        kind=KIND,
        content=content,
        expires_on=until,
        actor=actor or provider,
    )


def held(world: World, provider: Actor) -> Mapping[str, date | None]:
    """What counts of it, beside what every provider of the world has."""
    number = world.row_of(provider).id or 0
    with world.database.reading() as session:
        return {kind: day for kind, day in latest_documents(session, [number])[number].items() if kind == KIND}


def listed(world: World, provider: Actor) -> list[tuple[str, str]]:
    with world.database.reading() as session:
        found = received_documents(session, world.row_of(provider).id or 0)
    return [(one.ref, str(one.state)) for one in found if one.kind == KIND]


def test_what_a_provider_sends_counts_once_it_is_confirmed_and_the_one_before_until_then(world: World) -> None:
    oak = world.provider("Synthetic Oak")

    first = sent(world, oak)
    unseen = held(world, oak)
    world.run(confirm_document, document_ref=first.ref, actor=world.officer)
    confirmed = held(world, oak)
    second = sent(world, oak, days=300)
    beside = listed(world, oak)
    meanwhile = held(world, oak)
    world.run(confirm_document, document_ref=second.ref, actor=world.officer)

    assert unseen == {}
    assert confirmed == meanwhile == {KIND: first.expires_on}
    assert beside == [(first.ref, "confirmed"), (second.ref, "waiting")]
    assert held(world, oak) == {KIND: second.expires_on}
    assert listed(world, oak) == [(second.ref, "confirmed")]
    assert [one.decided_by for one in world.rows(DocumentCheck)] == [world.officer.ref] * 2
    with pytest.raises(NoSuchStep):
        world.run(refuse_document, document_ref=first.ref, because="Too late.", actor=world.officer)
    assert world.faults() == []


def test_what_is_refused_changes_nothing_says_why_and_can_be_sent_again(world: World) -> None:
    oak = world.provider("Synthetic Oak")
    first = sent(world, oak)
    world.run(confirm_document, document_ref=first.ref, actor=world.officer)

    second = sent(world, oak, days=300)
    with pytest.raises(BadInput):
        world.run(refuse_document, document_ref=second.ref, because=" ", actor=world.officer)
    world.run(refuse_document, document_ref=second.ref, because="It names another company.", actor=world.officer)
    counts = held(world, oak)
    again = sent(world, oak, days=300)

    assert counts == {KIND: first.expires_on}
    assert again.ref != second.ref
    assert listed(world, oak) == [(first.ref, "confirmed"), (again.ref, "waiting")]
    told = [(one.recipient, one.kind, one.about) for one in world.rows(OutboxMessage) if one.about == second.ref]
    assert (f"provider:{oak.provider}", "document_refused", second.ref) in told


def test_what_an_officer_brings_counts_at_once_even_while_the_provider_s_own_waits(world: World) -> None:
    oak = world.provider("Synthetic Oak")
    waiting = sent(world, oak)

    brought = sent(world, oak, actor=world.officer)

    assert brought.ref != waiting.ref
    assert held(world, oak) == {KIND: brought.expires_on}
    with world.database.reading() as session:
        assert documents_to_check(session, [world.scheme.key], actor=world.officer) == []


def test_of_a_kind_the_last_that_was_sent_waits_and_officers_are_told_of_each(world: World) -> None:
    oak = world.provider("Synthetic Oak")
    first, second = sent(world, oak), sent(world, oak, content=PDF + b", sharper")
    same = sent(world, oak, content=PDF + b", sharper")

    with world.database.reading() as session:
        waiting = documents_to_check(session, [world.scheme.key], actor=world.officer)
        elsewhere = documents_to_check(session, ["elsewhere"], actor=world.officer)
        ending = documents_ending(
            session, [world.scheme.key], by=world.now.date() + timedelta(days=200), actor=world.officer
        )

    assert same.ref == second.ref
    assert [(one.document.ref, one.provider_name, one.has_file) for one in waiting] == [
        (second.ref, "Synthetic Oak", True)
    ]
    assert (elsewhere, ending) == ([], [])
    told = [(one.recipient, one.about) for one in world.rows(OutboxMessage, OutboxMessage.kind == "document_to_check")]
    authorities = sorted(f"authority:{one.key}" for one in world.scheme.authorities)
    assert told == [(to, one.ref) for one in (first, second) for to in authorities]


def test_nobody_confirms_its_own_a_friend_s_or_another_council_s(world: World) -> None:
    oak = world.provider("Synthetic Oak")
    one = sent(world, oak)
    tied = Actor(ref="officer-tied", role=Role.REGISTER_OFFICER, authority=world.authority)
    foreign = Actor(ref="officer-foreign", role=Role.REGISTER_OFFICER, authority="elsewhere")
    world.run(declare_interest, provider=oak.provider, actor=tied)

    for actor, refusal in ((oak, Forbidden), (tied, NeedsSecondPerson), (foreign, NotFound)):
        with pytest.raises(refusal):
            world.run(confirm_document, document_ref=one.ref, actor=actor)
        with pytest.raises(refusal):
            world.run(refuse_document, document_ref=one.ref, because="No.", actor=actor)

    assert held(world, oak) == {}


@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_what_an_officer_brought_has_nothing_to_check(world: World) -> None:
    oak = world.provider("Synthetic Oak")
    brought = world.run(
        receive,
        provider_id=world.row_of(oak).id or 0,
        kind=KIND,
        sha256="1" * 64,
        expires_on=None,
        actor=world.officer,
    )

    with world.database.reading() as session, pytest.raises(NotFound):
        document_to_check(session, brought.ref, [world.scheme.key], actor=world.officer)
    with pytest.raises(NotFound):
        world.run(confirm_document, document_ref=brought.ref, actor=world.officer)
