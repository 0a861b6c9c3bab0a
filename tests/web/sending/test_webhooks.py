"""Signed calls to systems: verified by the specification's own library, never into a private network, replayed."""

import base64
import json
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from dps.kernel.actors import Actor, Role
from dps.kernel.database import Database
from dps.kernel.errors import BadInput, NotFound
from dps.kernel.outbox import Delivery
from tests.support.world import World
from tests.web.sending.office import letters, sorted_message
from web.sending import webhooks
from web.sending.calling import Calls, PrivateAddress, public_address
from web.sending.carrying import LetterRound
from web.sending.letters import send_again

SQLITE = pytest.mark.parametrize("database_kind", ["sqlite"])


@dataclass
class System:
    """Somebody's system: it keeps what it was sent and answers as it is told to."""

    url: str
    calls: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)


@pytest.fixture
def system() -> Iterator[System]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            there.calls.append(({name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(there.answers.pop(0) if there.answers else 204)
            self.send_header("Location", "http://127.0.0.1:1/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    there = System(f"http://127.0.0.1:{server.server_port}/hook?for=dps")
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield there
    server.shutdown()
    server.server_close()


@pytest.fixture
def world(database: Database, tmp_path: Path) -> World:
    # The library refuses a call that is not of these five minutes.
    return World(database, tmp_path)


def add(world: World, url: str, *, actor: Actor | None = None, kinds: tuple[str, ...] = ()) -> tuple[str, str]:
    """An endpoint of the world's council; its reference and its secret."""
    with world.database.transaction() as session:
        row, secret = webhooks.add(
            session, world.ports, url=url, kinds=kinds, actor=actor or world.broker, with_loopback=True
        )
        return row.ref, secret


def made(world: World, *, with_loopback: bool = True) -> int:
    return LetterRound(world.database, world.ports, [Calls(world.ports, with_loopback=with_loopback)]).make()


def test_a_call_is_signed_as_the_specification_has_it_and_says_no_more_than_a_reference(
    world: World, system: System
) -> None:
    _, secret = add(world, system.url)
    message = sorted_message(world, recipient=f"authority:{world.authority}", kind="referral_unfilled", about="REF-1")

    assert made(world) == 1

    ((headers, body),) = system.calls
    said = json.loads(body)
    assert (headers["webhook-id"], said["type"]) == (message.ref, "referral_unfilled")
    assert said["data"] == {"about": "REF-1", "facts": {}}
    timestamp = int(headers["webhook-timestamp"])
    assert timestamp == int(world.now.timestamp())
    assert Webhook(secret).verify(body, _now_signed(secret, headers, body)) == said
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(body + b" ", _now_signed(secret, headers, body))


def _now_signed(secret: str, headers: dict[str, str], body: bytes) -> dict[str, str]:
    """The headers, once our signature was seen to be the library's own, at an instant that it takes for the present."""
    hook, then = Webhook(secret), datetime.fromtimestamp(int(headers["webhook-timestamp"]), UTC)
    assert headers["webhook-signature"] == hook.sign(headers["webhook-id"], then, body.decode())
    now = datetime.now(UTC)
    return {
        "webhook-id": headers["webhook-id"],
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": hook.sign(headers["webhook-id"], now, body.decode()),
    }


def test_what_fails_is_called_again_under_the_same_id_and_what_was_made_can_be_replayed(
    world: World, system: System
) -> None:
    add(world, system.url)
    sorted_message(world, recipient=f"authority:{world.authority}")
    system.answers = [503, 302]

    tries = []
    for minutes in (1, 2, 4):
        tries.append(made(world))
        world.clock.step(timedelta(minutes=minutes))
    (letter,) = letters(world)
    with world.database.transaction() as session:
        assert send_again(session, ref=letter.ref, now=world.now)
    replayed = made(world)

    assert (tries, replayed) == ([0, 0, 1], 1)
    assert len({headers["webhook-id"] for headers, _ in system.calls}) == 1
    assert len(system.calls) == 4


@SQLITE
def test_a_system_that_says_gone_is_not_called_again_for_it(world: World, system: System) -> None:
    add(world, system.url)
    sorted_message(world, recipient=f"authority:{world.authority}")
    system.answers = [410]

    made(world)

    assert letters(world)[0].delivery is Delivery.GIVEN_UP


@SQLITE
def test_each_reader_is_called_for_its_own_messages_and_for_the_kinds_that_it_wants(
    world: World, system: System
) -> None:
    oak = world.provider("Oak")
    add(world, system.url, kinds=("award_accepted",))
    add(world, f"{system.url}&whose=oak", actor=oak)

    sorted_message(world, recipient=f"authority:{world.authority}", kind="referral_unfilled", about="REF-1")
    sorted_message(world, recipient=f"authority:{world.authority}", kind="award_accepted", about="AWD-2")
    sorted_message(world, recipient=f"provider:{oak.provider}", kind="award_offered", about="AWD-3")
    sorted_message(world, recipient="authority:another-council", kind="award_accepted", about="AWD-4")
    made(world)

    assert sorted(json.loads(body)["data"]["about"] for _, body in system.calls) == ["AWD-2", "AWD-3"]


@SQLITE
def test_an_ended_endpoint_is_not_called_not_even_for_what_was_queued(world: World, system: System) -> None:
    ref, _ = add(world, system.url)
    sorted_message(world, recipient=f"authority:{world.authority}")
    with world.database.transaction() as session:
        webhooks.end(session, world.ports, ref=ref, actor=world.broker)
        webhooks.end(session, world.ports, ref=ref, actor=world.broker)

    made(world)
    sorted_message(world, recipient=f"authority:{world.authority}", about="AWD-0000-0000-0000")

    assert system.calls == []
    assert [letter.channel for letter in letters(world)] == ["webhook", "mail"]


@SQLITE
def test_somebody_else_s_endpoint_is_not_there(world: World, system: System) -> None:
    ref, _ = add(world, system.url)
    other = Actor(ref="broker-9", role=Role.BROKER, authority="another-council")

    with world.database.transaction() as session, pytest.raises(NotFound):
        webhooks.end(session, world.ports, ref=ref, actor=other)


@SQLITE
def test_the_secret_stands_nowhere_in_the_database(world: World, system: System) -> None:
    _, secret = add(world, system.url)

    (row,) = world.rows(webhooks.WebhookEndpoint)

    assert secret.startswith("whsec_")
    assert base64.b64decode(secret.removeprefix("whsec_")) not in row.secret


@SQLITE
@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/hook",
        "ftp://example.org",
        "https://",
        "https://name:word@example.org/",
        "https://example.org/#part",
        "https://example.org:0/",
        "https://example.org:99999/",
        "http://127.0.0.1.example.org/",
        "https://exämple.org/",
    ],
)
def test_an_address_that_is_not_for_calls_is_refused(world: World, url: str) -> None:
    with world.database.transaction() as session, pytest.raises(BadInput):
        webhooks.add(session, world.ports, url=url, kinds=(), actor=world.broker)


@SQLITE
def test_this_machine_is_called_only_where_a_setting_allows_it(world: World, system: System) -> None:
    add(world, system.url)
    sorted_message(world, recipient=f"authority:{world.authority}")

    made(world, with_loopback=False)

    assert system.calls == []
    assert letters(world)[0].last_error == "PrivateAddress"


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "::1",
        "fe80::1%eth0",
        "fd00::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
    ],
)
def test_a_name_that_leads_into_a_private_network_is_not_called(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (host, 443)) for host in ("93.184.215.14", address)]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_more: found)

    with pytest.raises(PrivateAddress):
        public_address("hook.example.org", 443)


def test_a_public_address_is_called_by_number(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("93.184.215.14", 443))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_more: found)

    assert public_address("hook.example.org", 443) == "93.184.215.14"
