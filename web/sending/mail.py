"""The two ways by which a letter reaches a person: a mail server, or GOV.UK Notify (mail and text message).

Both are handed a batch and say of each letter what became of it: None where it was taken over, else the fault.
"""

import asyncio
from collections.abc import Callable, Sequence
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import parseaddr
from typing import Protocol

from aiosmtplib import SMTP as Client
from aiosmtplib import SMTPException, SMTPRecipientsRefused, SMTPResponseException
from notifications_python_client.errors import HTTPError
from notifications_python_client.notifications import NotificationsAPIClient

from dps.kernel.keys import Keyring
from dps.kernel.settings import Settings
from web.sending.letters import Channel, Parcel, Undeliverable
from web.sending.writing import written

PATIENCE_S = 20
LETTERS = "X-Letters"
"""The header that names every letter of a mail."""
Fault = Exception | None


class Carrier(Protocol):
    """Sends letters of some channels."""

    @property
    def channels(self) -> Sequence[Channel]: ...

    def carry(self, parcels: Sequence[Parcel], note: Callable[[Parcel, Fault], None]) -> None: ...


class MailServer:
    """SMTP, one connection a batch. A letter's Message-ID is its reference, so that a repeat is known for one."""

    channels = (Channel.MAIL,)

    def __init__(self, settings: Settings, keyring: Keyring) -> None:
        self._settings = settings
        self._keyring = keyring

    def carry(self, parcels: Sequence[Parcel], note: Callable[[Parcel, Fault], None]) -> None:
        asyncio.run(self._carry(parcels, note))

    async def _carry(self, parcels: Sequence[Parcel], note: Callable[[Parcel, Fault], None]) -> None:
        settings = self._settings
        client = Client(
            hostname=settings.smtp_host,
            port=settings.smtp_port,
            use_tls=settings.smtp_tls == "tls",
            start_tls=settings.smtp_tls == "starttls",
            username=settings.smtp_user or None,
            password=settings.smtp_password.get_secret_value() or None,
            timeout=PATIENCE_S,
        )
        for parcel in parcels:
            try:
                if not client.is_connected:
                    await client.connect()
                await client.send_message(self.composed(parcel))
            except (SMTPException, OSError) as fault:
                note(parcel, _final(fault))
            else:
                note(parcel, None)
        if client.is_connected:
            await client.quit()

    def composed(self, parcel: Parcel) -> EmailMessage:
        """The letter as RFC 5322 has it, text and HTML."""
        settings, account = self._settings, parcel.account
        assert account is not None
        name, sender = parseaddr(settings.mail_from)
        others = (one.message for one in parcel.more)
        letter = written(parcel.message, *others, site=settings.address, keyring=self._keyring)
        mail = EmailMessage(policy=SMTP)
        mail["Message-ID"] = f"<{parcel.message_id}@{sender.rpartition('@')[2]}>"
        mail["Date"] = max(one.message.posted_at for one in (parcel, *parcel.more))
        mail["From"] = Address(display_name=name, addr_spec=sender)
        mail["To"] = account.email
        mail["Subject"] = letter.subject
        mail["Auto-Submitted"] = "auto-generated"
        # Who looks for a letter in a mail server's own records finds the mail that carried it.
        mail[LETTERS] = " ".join(letter.ref for letter in parcel.letters)
        mail.set_content(letter.text)
        mail.add_alternative(letter.html, subtype="html")
        return mail


def _final(fault: Exception) -> Exception:
    """Undeliverable where the server refused this reader for good (RFC 5321: 5yz)."""
    refusals = fault.recipients if isinstance(fault, SMTPRecipientsRefused) else [fault]
    codes = [one.code for one in refusals if isinstance(one, SMTPResponseException)]
    is_about_reader = isinstance(fault, SMTPRecipientsRefused) or type(fault).__name__ == "SMTPRecipientRefused"
    if is_about_reader and codes and all(code >= 500 for code in codes):
        return Undeliverable(f"refused with {codes[0]}")
    return fault


class Notify:
    """GOV.UK Notify. Its templates hold ((subject)) and ((body)), or ((body)) alone for a text message."""

    def __init__(self, settings: Settings, keyring: Keyring) -> None:
        self._settings = settings
        self._keyring = keyring
        self._client = NotificationsAPIClient(
            settings.notify_key.get_secret_value(), base_url=settings.notify_url, timeout=PATIENCE_S
        )
        self.channels: tuple[Channel, ...] = (Channel.MAIL,)
        if settings.notify_text_template:
            self.channels += (Channel.TEXT,)

    def carry(self, parcels: Sequence[Parcel], note: Callable[[Parcel, Fault], None]) -> None:
        for parcel in parcels:
            try:
                self._send(parcel)
            except HTTPError as fault:
                # 400: this reader or this template is refused; all else (a key, a limit, a bad night) may pass.
                note(parcel, Undeliverable("refused with 400") if fault.status_code == 400 else fault)
            except OSError as fault:
                note(parcel, fault)
            else:
                note(parcel, None)

    def _send(self, parcel: Parcel) -> None:
        settings, account, ref = self._settings, parcel.account, parcel.letter.ref
        assert account is not None
        others = (one.message for one in parcel.more)
        letter = written(parcel.message, *others, site=settings.address, keyring=self._keyring)
        if parcel.letter.channel is Channel.TEXT:
            body = f"{letter.subject}\n{link_of(letter.text)}"
            self._client.send_sms_notification(
                account.mobile, settings.notify_text_template, personalisation={"body": body}, reference=ref
            )
            return
        says = {"subject": letter.subject, "body": letter.text}
        self._client.send_email_notification(
            account.email, settings.notify_mail_template, personalisation=says, reference=ref
        )


def link_of(text: str) -> str:
    """The address in a letter."""
    return next((line for line in text.splitlines() if line.startswith("http")), "")


def carrier_of(settings: Settings, keyring: Keyring) -> Carrier | None:
    """How this installation writes to people; None where messages are files."""
    match settings.mail:
        case "smtp":
            return MailServer(settings, keyring)
        case "notify":
            return Notify(settings, keyring)
        case "files":
            return None
