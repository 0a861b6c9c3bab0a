"""Bids that reach us and are not stored: what their senders read, what is noted, and what becomes of it."""

import asyncio
import json
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from bidding.bids.records import Bid
from bidding.closings import Closing
from bidding.unkept import UnkeptBid
from dps.kernel.clock import machine_time
from dps.kernel.database import Database
from tests.web.pages.browsing import Browser
from tests.web.pages.test_page_guards import seated
from tests.web.pages.test_portal import answers, provider
from tests.web.served import Served
from web import receiving
from web.notes import Note, Notes
from web.receiving import BODY_BYTES, Received, Sent
from web.security.accounts import Part

SQLITE = pytest.mark.parametrize("database_kind", ["sqlite"])


@contextmanager
def refusing(database: Database, *beginnings: str) -> Iterator[None]:
    """A database that is away for statements that begin so; for all where none is named."""

    def refuse(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        if not beginnings or statement.startswith(beginnings):
            fault = OperationalError("", {}, Exception("synthetic"))
            fault.connection_invalidated = True
            raise fault

    event.listen(database.engine, "before_cursor_execute", refuse)
    try:
        yield
    finally:
        event.remove(database.engine, "before_cursor_execute", refuse)


@pytest.fixture(autouse=True)
def told_when_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """No thread tells the database, and nobody waits before asking it again."""
    monkeypatch.setattr(Notes, "tell_soon", lambda _notes: None)
    monkeypatch.setattr("dps.kernel.database._FIRST_PAUSE_S", 0.0)


def notes_of(served: Served) -> Notes:
    notes: Notes = served.app.state.notes
    return notes


def files_of(served: Served) -> list[Path]:
    return sorted(notes_of(served).folder.glob("*"))


def test_a_bid_that_the_database_refuses_at_the_store_is_noted_told_and_sent_again(served: Served) -> None:
    browser, referral = provider(served, "Elm"), served.world.referral()
    path = f"/portal/opportunities/{served.world.round(referral).ref}/bid"
    browser.open(path)
    browser.send(f"{path}/check", **{"price-weekday": "16.37", **answers(served)})
    checked = browser.page

    with refusing(served.world.database, "INSERT INTO bid "):
        failed = browser.send(f"{path}/submission")
    (file,) = files_of(served)
    written = json.loads(file.read_text())
    told = notes_of(served).tell()
    browser.page = checked
    stored = browser.send(f"{path}/submission")
    served.world.close(referral)

    assert failed.status_code == 503
    assert "take it that your bid is not stored" in failed.text
    assert "It is written down that it was here on" in failed.text
    assert {name: len(value) for name, value in written.items()} == {"shown": 7, "sha256": 64, "at": 32, "bids": 1}
    assert written["bids"][0][0] == [served.world.rows(UnkeptBid)[0].rounds[0]]
    assert (told, files_of(served), len(served.world.events("bid.not_kept"))) == (1, [], 1)
    assert "Bid sealed" in stored.text
    assert served.world.events("bid.lost_by_us") == []
    assert served.world.award(referral).provider == browser.actor.provider  # type: ignore[attr-defined]


def test_a_sender_that_could_not_even_be_looked_up_is_known_once_the_database_is_back(served: Served) -> None:
    elm, world = served.provider("Elm"), served.world
    referral = world.referral()
    body = served.bid_body(referral, 1600)

    with refusing(world.database):
        failed = elm.post("/api/bids", body, key="k")
    told = notes_of(served).tell()
    world.close(referral)

    assert (failed.status_code, failed.json()["code"], failed.json()["noted"]) == (503, "unavailable", True)
    assert told == 1
    (row,) = world.rows(UnkeptBid)
    assert (row.provider, row.lost_at) == (elm.provider, world.closes_at(referral))  # type: ignore[attr-defined]
    assert str(world.rows(Closing)[0].state) == "closed"
    assert world.faults() == []


@SQLITE
def test_a_note_outlives_its_process_and_is_told_after_the_closing(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    elm, world = served.provider("Elm"), served.world
    referral = world.referral()
    body = served.bid_body(referral, 1600)
    with monkeypatch.context() as earlier:
        earlier.setattr(receiving, "machine_time", lambda: machine_time() - timedelta(seconds=10))
        with refusing(world.database):
            elm.post("/api/bids", body, key="k")
    world.clock.move_to(world.closes_at(referral) + timedelta(seconds=5))

    another = Notes(served.installation, served.wall)
    told = [another.tell(), another.tell()]

    assert told == [1, 0]
    assert [event.body["rounds"] for event in world.events("bid.lost_by_us")] == [[world.round(referral).ref]]


@SQLITE
def test_a_file_and_a_page_of_bids_are_noted_bid_by_bid(worcestershire: Served) -> None:
    served, world = worcestershire, worcestershire.world
    elm = served.provider("Elm")
    referrals = [world.referral() for _ in range(2)]
    rows = {"rows": [served.bid_body(one, 1900) for one in referrals]}
    browser = seated(served, Part.PROVIDER_USER, provider=elm.provider)  # type: ignore[attr-defined]
    rounds = [world.round(one).ref for one in referrals]
    fields = {f"{kind}-{ref}": "on" for ref in rounds for kind in ("bid", "bundle")}

    with refusing(world.database):
        elm.post("/api/bids/file", rows, key="k")
        csrf = browser.csrf  # type: ignore[attr-defined]
        browser.client.post("/portal/bids/many/submission", data={"csrf": csrf, "once": "o", **fields})
    noted = sorted([one.rounds for one in Note.read(file.read_bytes()).bids] for file in files_of(served))

    assert sorted(noted, key=len) == [[(one,) for one in rounds], [*((one,) for one in rounds), tuple(rounds)]]
    assert notes_of(served).tell() == 5


@SQLITE
def test_nothing_is_noted_of_who_shows_nothing_sends_nonsense_or_asks_for_something_else(served: Served) -> None:
    elm = served.provider("Elm")
    body = served.bid_body(served.world.referral(), 1600)
    with refusing(served.world.database):
        served.anonymous.post("/api/bids", body)
        elm.post("/api/bids", {"rounds": 7}, key="k")
        elm.get("/api/bids")

    assert files_of(served) == []


@SQLITE
def test_a_note_of_nobody_or_of_a_round_that_is_not_theirs_is_dropped_and_a_damaged_one_kept_apart(
    served: Served,
) -> None:
    notes, world = notes_of(served), served.world
    elm = served.provider("Elm")
    round_ref = world.round(world.referral()).ref
    late = served.provider("Late")
    for sha256 in ("0" * 64, *(Note.read(one).sha256 for one in _written(served, elm, late, round_ref))):
        notes._write(Note("api_key", sha256, machine_time(), [Sent((round_ref,), "k")]).written())
    notes._write(b"{nonsense")

    assert notes.tell() == 1
    assert [file.suffix for file in files_of(served)] == [".unreadable"]
    assert [row.provider for row in world.rows(UnkeptBid)] == [elm.provider]  # type: ignore[attr-defined]


def _written(served: Served, *callers: Any) -> Iterator[bytes]:
    """What the notes of these callers say, taken away again."""
    round_ref = callers[-1]
    for caller in callers[:-1]:
        with refusing(served.world.database):
            caller.post("/api/bids", {"rounds": [round_ref], "bid": {}}, key="k")
        (file,) = files_of(served)
        yield file.read_bytes()
        file.unlink()


@SQLITE
def test_a_note_is_on_the_disk_whole_before_it_has_its_name_and_its_name_before_the_answer(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    notes, forced = notes_of(served), list[str]()

    def fsync(descriptor: int) -> None:
        there = Path(os.readlink(f"/proc/self/fd/{descriptor}"))
        forced.append("folder" if there.is_dir() else there.read_text())
        forced.extend(path.suffix for path in notes.folder.iterdir())

    monkeypatch.setattr("web.notes.os.fsync", fsync)

    notes._write(b"a note")

    assert forced == ["a note", ".new", "folder", ".note"]


@SQLITE
def test_a_disk_that_takes_no_note_is_not_said_to_have_one(served: Served) -> None:
    elm = served.provider("Elm")
    body = served.bid_body(served.world.referral(), 1600)
    notes_of(served).folder.write_text("a file where the folder should be")
    with refusing(served.world.database):
        failed = elm.post("/api/bids", body, key="k")

    assert failed.status_code == 503
    assert "noted" not in failed.json()


@SQLITE
def test_a_thread_tells_the_database_as_soon_as_it_is_back(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    monkeypatch.setattr("dps.kernel.database._FIRST_PAUSE_S", 0.0)
    monkeypatch.setattr("web.notes._PAUSE_S", 0.01)
    elm = served.provider("Elm")
    body = served.bid_body(served.world.referral(), 1600)
    with refusing(served.world.database):
        for key in ("k", "another", "a third"):
            elm.post("/api/bids", body, key=key)
        time.sleep(0.05)
        assert len(files_of(served)) == 3
        # However many wait, one thread tells of them.
        assert len(tellers()) == 1
    ends = time.monotonic() + 20
    while (files_of(served) or tellers()) and time.monotonic() < ends:
        time.sleep(0.01)

    assert len(served.world.rows(UnkeptBid)) == 3
    assert tellers() == []


@SQLITE
def test_a_process_that_ends_leaves_its_notes_to_the_next(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    monkeypatch.setattr("dps.kernel.database._FIRST_PAUSE_S", 0.0)
    elm = served.provider("Elm")
    body = served.bid_body(served.world.referral(), 1600)
    with refusing(served.world.database):
        elm.post("/api/bids", body, key="k")
        (teller,) = tellers()
        served.app.state.notes.end()
        teller.join(20)
        elm.post("/api/bids", body, key="another")

        assert not teller.is_alive()
        assert (len(files_of(served)), tellers()) == (2, [])
    assert Notes(served.installation, served.wall).tell() == 2


def tellers() -> list[threading.Thread]:
    return [one for one in threading.enumerate() if one.name == "notes"]


def test_who_waited_in_our_queue_beyond_the_closing_reads_that_it_is_our_fault(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser, elm, referral = provider(served, "Oak"), served.provider("Elm"), served.world.referral()
    path = f"/portal/opportunities/{served.world.round(referral).ref}/bid"
    body = served.bid_body(referral, 1600)
    browser.open(path)
    browser.send(f"{path}/check", **{"price-weekday": "16.00", **answers(served)})
    monkeypatch.setattr(Received, "ago", lambda _received: timedelta(seconds=3))
    served.world.clock.move_to(served.world.closes_at(referral))

    page, problem = browser.send(f"{path}/submission"), elm.post("/api/bids", body)

    assert (page.status_code, problem.status_code, problem.json()["code"]) == (409, 409, "lost_by_us")
    assert "That is our fault, not yours." in page.text
    assert len(served.world.events("bid.lost_by_us")) == 2
    assert served.world.faults() == []


def test_a_broker_is_shown_what_waits_and_asks_everybody_again(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    world = served.world
    oak, elm, referral = provider(served, "Oak"), served.provider("Elm"), world.referral()
    path = f"/portal/opportunities/{world.round(referral).ref}/bid"
    oak.open(path)
    oak.send(f"{path}/check", **{"price-weekday": "16.37", **answers(served)})
    oak.send(f"{path}/submission")
    body = served.bid_body(referral, 1600)
    monkeypatch.setattr(Received, "ago", lambda _received: timedelta(seconds=3))
    world.clock.move_to(world.closes_at(referral))
    elm.post("/api/bids", body)
    world.timetable.sweep()
    (closing,) = world.rows(Closing)
    broker: Browser = seated(served, Part.BROKER)
    lost = f"/desk/closings/{closing.ref}/lost"

    queue = broker.open("/desk?place=lost").text
    seen = broker.open(f"/desk/referrals/{referral}").text
    page = broker.open(lost).text
    wrong = broker.send(f"{lost}/going-on")
    done = broker.send(f"{lost}/asking-again")
    later = broker.open(lost).text
    bids = oak.open("/portal/bids").text

    assert referral in queue
    assert lost in seen
    assert "The opening waits for you until" in page
    assert elm.provider not in page  # type: ignore[attr-defined]
    assert (wrong.status_code, "Choose why it goes on" in wrong.text) == (400, True)
    assert referral in done.text
    assert "No lost bid of this closing waits" in later
    handed_over = world.rows(Closing)[-1].ref
    (live,) = [one for one in _own(served, oak) if one["receipt"]["closing"] == handed_over]
    receipt = oak.open(f"/portal/bids/{live['bid']}").text
    assert live["bid"] in bids
    assert "Your bid" in receipt
    assert "was not opened" in receipt
    assert "£16.37" in receipt
    assert "16.37" in oak.open(f"/portal/opportunities/{world.round(referral).ref}/bid").text


def _own(served: Served, browser: Browser) -> list[dict[str, Any]]:
    return [
        {"bid": bid.ref, "receipt": bid.receipt}
        for bid in served.world.rows(Bid, Bid.provider == browser.actor.provider)  # type: ignore[attr-defined]
    ]


@SQLITE
def test_a_broker_goes_on_without_the_lost_bid(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    world = served.world
    oak, elm, referral = world.provider("Oak"), served.provider("Elm"), world.referral()
    world.bid(oak, referral, pence=1650)
    body = served.bid_body(referral, 1600)
    monkeypatch.setattr(Received, "ago", lambda _received: timedelta(seconds=3))
    world.clock.move_to(world.closes_at(referral))
    elm.post("/api/bids", body)
    world.timetable.sweep()
    lost = f"/desk/closings/{world.rows(Closing)[0].ref}/lost"
    broker: Browser = seated(served, Part.BROKER)
    broker.open(lost)

    broker.send(f"{lost}/going-on", reason="cannot_wait")
    world.timetable.sweep()

    assert world.award(referral).provider == oak.provider


# Reading


def test_a_body_is_read_to_its_end_before_the_application_and_then_once_more() -> None:
    parts: list[dict[str, Any]] = [
        {"type": "http.request", "body": b"a", "more_body": True},
        {"type": "http.request", "body": b"b", "more_body": False},
        {"type": "http.disconnect"},
    ]
    read, scope = asyncio.run(_through(parts, [(b"cookie", b"x")]))

    assert [one.get("body") for one in read] == [b"a", b"b", None]
    assert scope["dps.received"].body == b"ab"


def test_what_is_too_large_or_from_nobody_is_handed_on_as_it_comes() -> None:
    large = [{"type": "http.request", "body": bytes(BODY_BYTES), "more_body": True}] * 3
    read, scope = asyncio.run(_through(large, [(b"authorization", b"x")]))
    _, unknown = asyncio.run(_through([{"type": "http.request", "body": b"a"}], []))

    assert len(read) == 3
    assert "dps.received" not in scope
    assert "dps.received" not in unknown


async def _through(parts: list[dict[str, Any]], headers: list[tuple[bytes, bytes]]) -> tuple[list[Any], dict[str, Any]]:
    """What an application behind the middleware reads of these messages, and its scope."""
    read: list[Any] = []
    coming = iter(parts)
    scope: dict[str, Any] = {"headers": headers}

    async def receive() -> Any:
        return next(coming)

    async def app(_scope: Any, receive: Any, _send: Any) -> None:
        for _ in parts:
            read.append(await receive())

    async def send(_message: Any) -> None:
        pass

    await receiving.receiving(lambda _envelope: [])(app)(scope, receive, send)  # type: ignore[arg-type]
    return read, scope
