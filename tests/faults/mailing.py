"""A mail server on this machine that keeps what it is handed, and can go away and come back."""

import socket
from dataclasses import dataclass, field
from email import message_from_bytes
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller

from dps.kernel.settings import Settings
from tests.faults.history import append, lines
from tests.support.world import World
from web.sending.carrying import LetterRound
from web.sending.mail import LETTERS, MailServer

SENDER = "Home care <no-reply@care.example.org>"


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


@dataclass
class MailHouse:
    """Listens from its beginning to `close`, but for the times in between when it is away."""

    path: Path
    port: int = field(default_factory=free_port)
    _listening: Controller | None = None

    def __post_init__(self) -> None:
        self.come_back()

    def go_away(self) -> None:
        if self._listening is not None:
            self._listening.stop()
            self._listening = None

    def come_back(self) -> None:
        self._listening = Controller(self, hostname="127.0.0.1", port=self.port)
        self._listening.start()

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        """What is said to be taken over is on the disk."""
        for ref in message_from_bytes(envelope.content)[LETTERS].split():
            append(self.path, {"mailed": ref})
        return "250 OK"

    def mailed(self) -> list[str]:
        """References of the letters that were taken over, as often as each was."""
        return [line["mailed"] for line in lines(self.path)]

    @property
    def environment(self) -> dict[str, str]:
        """What a worker is told of it."""
        return {
            "DPS_MAIL": "smtp",
            "DPS_MAIL_FROM": SENDER,
            "DPS_SMTP_HOST": "127.0.0.1",
            "DPS_SMTP_PORT": str(self.port),
            "DPS_SMTP_TLS": "none",
        }

    def letters_of(self, world: World) -> LetterRound:
        """The round that a worker makes with this council's letters."""
        settings = Settings(
            demo=True, mail="smtp", mail_from=SENDER, smtp_host="127.0.0.1", smtp_port=self.port, smtp_tls="none"
        )
        return LetterRound(world.database, world.ports, [MailServer(settings, world.ports.keyring)])
