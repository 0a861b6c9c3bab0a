"""The embedded postman: each message becomes a file that a mail system picks up, or a person reads.

A message names a reference and a link and nothing else. Its file is named by its own reference, which is also its
Message-ID: carried twice after a crash, it is still one message (law 4).
"""

import os
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

from dps.kernel.keys import Keyring
from dps.kernel.outbox import OutboxMessage
from web.sending.writing import link


class SpoolPostman:
    """Writes `MSG-….eml` into `folder`; links lead to `site`. Raises OSError where the folder can't be written."""

    def __init__(self, folder: Path, *, site: str, keyring: Keyring) -> None:
        self._folder = folder
        self._keyring = keyring
        self._site = site.rstrip("/")

    def carry(self, message: OutboxMessage) -> None:
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = self._folder / f"{message.ref}.eml"
        fresh = path.with_suffix(".new")
        with fresh.open("wb") as file:
            file.write(self.written(message))
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)

    def written(self, message: OutboxMessage) -> bytes:
        """The message as RFC 5322 text. The recipient is a reference: the mail system knows its address."""
        mail = EmailMessage(policy=SMTP)
        mail["Message-ID"] = f"<{message.ref}@dps.invalid>"
        mail["Date"] = message.posted_at
        mail["From"] = "dps <no-reply@dps.invalid>"
        mail["To"] = "undisclosed-recipients:;"
        mail["Subject"] = f"{message.kind.replace('_', ' ').replace('.', ' ').capitalize()}: {message.about}"
        mail["X-Dps-Recipient"] = message.recipient
        mail["X-Dps-Kind"] = message.kind
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content(f"{mail['Subject']}\n\n{link(message, site=self._site, keyring=self._keyring)}\n")
        return mail.as_bytes()
