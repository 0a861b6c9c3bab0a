"""Letters reach a real mail server, over a real connection, and GOV.UK Notify as its own client speaks to it."""

import json
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from pydantic import SecretStr

from dps.kernel.database import Database
from dps.kernel.outbox import Delivery
from dps.kernel.settings import Settings
from tests.support.world import World
from tests.web.sending.office import letters, reader, sorted_message
from web.security.accounts import Account, Part
from web.sending.carrying import LetterRound
from web.sending.letters import GATHERED, undelivered
from web.sending.mail import MailServer, Notify

SQLITE = pytest.mark.parametrize("database_kind", ["sqlite"])
SITE = "https://care.example.org"
KEY = "test-11111111-1111-4111-8111-111111111111-22222222-2222-4222-8222-222222222222"


@dataclass
class Inbox:
    """What the mail server does with who it gets: keeps it, refuses a reader, or breaks off the line."""

    kept: list[EmailMessage] = field(default_factory=list)
    refuses: dict[str, str] = field(default_factory=dict)
    hangs_up_after: int = 10**6

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any) -> str:
        if address in self.refuses:
            return self.refuses[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, _session: Any, envelope: Any) -> str:
        message = message_from_bytes(envelope.content, policy=default)
        assert isinstance(message, EmailMessage)
        self.kept.append(message)
        if len(self.kept) >= self.hangs_up_after:
            # Taken over, and gone before it could say so.
            server.transport.abort()
        return "250 OK"


@pytest.fixture
def inbox() -> Iterator[tuple[Inbox, int]]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    handler = Inbox()
    controller = Controller(handler, hostname="127.0.0.1", port=port)
    controller.start()
    yield handler, port
    controller.stop()


@pytest.fixture
def world(database: Database, tmp_path: Path) -> World:
    return World(database, tmp_path)


def settings(**more: Any) -> Settings:
    return Settings(demo=True, site=SITE, mail_from="Home care <no-reply@care.example.org>", **more)


def through(world: World, port: int) -> LetterRound:
    given = settings(mail="smtp", smtp_host="127.0.0.1", smtp_port=port, smtp_tls="none")
    return LetterRound(world.database, world.ports, [MailServer(given, world.ports.keyring)])


@SQLITE
def test_a_letter_says_what_happened_and_where_to_look_and_nothing_else(world: World, inbox: tuple[Inbox, int]) -> None:
    oak = world.provider("Oak").provider
    reader(world, Part.PROVIDER_USER, "ann", provider=oak)
    about = "RND-7K3M-9QXR-4TDC"
    closes_at = "2019-03-04T15:00:00+00:00"
    sorted_message(world, recipient=f"provider:{oak}", kind="invitation", about=about, closes_at=closes_at)

    assert through(world, inbox[1]).make() == 1

    (mail,) = inbox[0].kept
    (letter,) = letters(world)
    link = f"{SITE}/portal/opportunities/{about}"
    assert mail["Message-ID"] == f"<{letter.ref}@care.example.org>"
    assert (mail["From"], mail["To"]) == ("Home care <no-reply@care.example.org>", "ann@example.org")
    assert mail["Subject"] == f"You are asked to bid: {about}"
    text, html = (mail.get_body((kind,)) for kind in ("plain", "html"))
    assert text is not None
    assert html is not None
    for part in (text.get_content(), html.get_content()):
        assert link in part
        assert "Monday 4 March 2019" in part
        assert "£" not in part
        assert "Synthetic" not in part


@SQLITE
def test_a_reader_who_is_refused_holds_up_no_other_and_is_seen(world: World, inbox: tuple[Inbox, int]) -> None:
    oak = world.provider("Oak").provider
    for name in ("gone", "full", "ann"):
        reader(world, Part.PROVIDER_USER, name, provider=oak)
    inbox[0].refuses = {"gone@example.org": "550 no such user", "full@example.org": "452 try later"}
    sorted_message(world, recipient=f"provider:{oak}")

    assert through(world, inbox[1]).make() == 1

    with world.database.reading() as session:
        seen = {(one.delivery, one.error) for one in undelivered(session)}
    assert [mail["To"] for mail in inbox[0].kept] == ["ann@example.org"]
    assert (Delivery.GIVEN_UP, "refused with 550") in seen
    assert Delivery.QUEUED in {delivery for delivery, _ in seen}


@SQLITE
def test_a_server_that_is_gone_before_it_says_yes_gets_the_letter_again_under_the_same_message_id(
    world: World, inbox: tuple[Inbox, int]
) -> None:
    reader(world, Part.BROKER)
    sorted_message(world, recipient=f"authority:{world.authority}")
    inbox[0].hangs_up_after = 1

    first = through(world, inbox[1]).make()
    inbox[0].hangs_up_after = 10**6
    world.clock.step(timedelta(minutes=1))
    second = through(world, inbox[1]).make()
    third = through(world, inbox[1]).make()

    assert (first, second, third) == (0, 1, 0)
    assert len(inbox[0].kept) == 2
    assert len({mail["Message-ID"] for mail in inbox[0].kept}) == 1


def test_thirty_receipts_are_one_mail_with_a_line_for_each_bid(world: World, inbox: tuple[Inbox, int]) -> None:
    oak = world.provider("Oak").provider
    for name in ("ann", "bob"):
        reader(world, Part.PROVIDER_USER, name, provider=oak)
    bids = [f"BID-7K3M-9QXR-{number:04}" for number in range(30)]
    for bid in bids:
        sorted_message(world, recipient=f"provider:{oak}", kind="bid_received", about=bid)

    at_once = through(world, inbox[1]).make()
    world.clock.step(GATHERED)
    sent = through(world, inbox[1]).make()

    assert (at_once, sent, len(inbox[0].kept)) == (0, 60, 2)
    assert sorted(mail["To"] for mail in inbox[0].kept) == ["ann@example.org", "bob@example.org"]
    for mail in inbox[0].kept:
        assert mail["Subject"] == "30 of your bids were received"
        for kind in ("plain", "html"):
            part = mail.get_body((kind,))
            assert part is not None
            said = part.get_content()
            assert [bid for bid in bids if f"{SITE}/portal/bids/{bid}" not in said] == []
    assert {letter.delivery for letter in letters(world)} == {Delivery.SENT}


@SQLITE
def test_receipts_whose_mail_fails_leave_together_again_under_the_same_message_id(
    world: World, inbox: tuple[Inbox, int]
) -> None:
    _receipts_while_the_server_hangs_up(world, inbox[0], 3)

    first = through(world, inbox[1]).make()
    inbox[0].hangs_up_after = 10**6
    world.clock.step(timedelta(minutes=1))
    second = through(world, inbox[1]).make()

    assert (first, second) == (0, 3)
    assert {mail["Subject"] for mail in inbox[0].kept} == {"3 of your bids were received"}
    assert len({mail["Message-ID"] for mail in inbox[0].kept}) == 1


@SQLITE
def test_a_receipt_that_joins_those_of_a_mail_that_failed_makes_another_mail_of_it(
    world: World, inbox: tuple[Inbox, int]
) -> None:
    oak = _receipts_while_the_server_hangs_up(world, inbox[0], 2)
    through(world, inbox[1]).make()

    sorted_message(world, recipient=f"provider:{oak}", kind="bid_received", about="BID-7K3M-9QXR-0007")
    inbox[0].hangs_up_after = 10**6
    world.clock.step(timedelta(minutes=2))
    through(world, inbox[1]).make()

    first, second = inbox[0].kept
    assert (first["Subject"], second["Subject"]) == ("2 of your bids were received", "3 of your bids were received")
    assert first["Message-ID"] != second["Message-ID"]
    assert set(second["X-Letters"].split()) == {letter.ref for letter in letters(world)}


@SQLITE
def test_one_receipt_alone_names_its_bid(world: World, inbox: tuple[Inbox, int]) -> None:
    oak = world.provider("Oak").provider
    reader(world, Part.PROVIDER_USER, "ann", provider=oak)
    sorted_message(world, recipient=f"provider:{oak}", kind="bid_received", about="BID-7K3M-9QXR-4TDC")
    world.clock.step(GATHERED)

    through(world, inbox[1]).make()

    assert [mail["Subject"] for mail in inbox[0].kept] == ["Your bid was received: BID-7K3M-9QXR-4TDC"]


@SQLITE
def test_a_server_that_is_down_costs_no_letter(world: World, inbox: tuple[Inbox, int]) -> None:
    reader(world, Part.BROKER)
    for _ in range(3):
        sorted_message(world, recipient=f"authority:{world.authority}")
    nobody_listens = 9

    down = through(world, nobody_listens).make()
    world.clock.step(timedelta(minutes=1))
    up = through(world, inbox[1]).make()

    assert (down, up, len(inbox[0].kept)) == (0, 3, 3)


class _NotifyServer(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        said = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.said.append((self.path, said))  # type: ignore[attr-defined]
        status = self.server.answers.pop(0) if self.server.answers else 201  # type: ignore[attr-defined]
        body = json.dumps({"id": "1", "errors": [{"error": "E", "message": "m"}]}).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def notify() -> Iterator[Any]:
    server: Any = ThreadingHTTPServer(("127.0.0.1", 0), _NotifyServer)
    server.said, server.answers = [], []
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def notified(world: World, server: Any) -> LetterRound:
    given = settings(
        mail="notify",
        notify_url=f"http://127.0.0.1:{server.server_port}",
        notify_key=SecretStr(KEY),
        notify_mail_template="mail-template",
        notify_text_template="text-template",
    )
    return LetterRound(world.database, world.ports, [Notify(given, world.ports.keyring)])


@SQLITE
def test_notify_is_told_the_letter_by_mail_and_its_link_by_text_message(world: World, notify: Any) -> None:
    oak = world.provider("Oak").provider
    ann = reader(world, Part.PROVIDER_USER, "ann", provider=oak)
    with world.database.transaction() as session:
        session.get_one(Account, ann.id).mobile = "+447700900001"
    sorted_message(world, recipient=f"provider:{oak}", about="AWD-7K3M-9QXR-4TDC", by_text=True)

    assert notified(world, notify).make() == 2

    link = f"{SITE}/portal/offers/AWD-7K3M-9QXR-4TDC"
    said = dict(notify.said)
    mail, text = said["/v2/notifications/email"], said["/v2/notifications/sms"]
    assert {mail["reference"], text["reference"]} == {letter.ref for letter in letters(world)}
    assert (mail["email_address"], text["phone_number"]) == ("ann@example.org", "+447700900001")
    assert mail["personalisation"]["subject"] == "A package is offered to you: AWD-7K3M-9QXR-4TDC"
    assert link in mail["personalisation"]["body"]
    assert text["personalisation"]["body"].endswith(link)


@SQLITE
def test_what_notify_refuses_is_given_up_and_what_it_can_not_take_now_is_tried_again(world: World, notify: Any) -> None:
    oak = world.provider("Oak").provider
    for name in ("ann", "bob"):
        reader(world, Part.PROVIDER_USER, name, provider=oak)
    sorted_message(world, recipient=f"provider:{oak}")
    notify.answers = [400, 503]

    assert notified(world, notify).make() == 0

    assert {(one.delivery, one.attempts) for one in letters(world)} == {(Delivery.GIVEN_UP, 1), (Delivery.QUEUED, 1)}


def _receipts_while_the_server_hangs_up(world: World, inbox: Inbox, number: int) -> str | None:
    """So many receipts that are due to one reader now; returns whose."""
    oak = world.provider("Oak").provider
    reader(world, Part.PROVIDER_USER, "ann", provider=oak)
    for count in range(number):
        sorted_message(world, recipient=f"provider:{oak}", kind="bid_received", about=f"BID-7K3M-9QXR-000{count}")
    inbox.hangs_up_after = 1
    world.clock.step(GATHERED)
    return oak
