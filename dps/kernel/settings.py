"""Settings from the environment (`DPS_…`), refused at start when they make no sense."""

import os
import re
from pathlib import Path
from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

from dps.kernel.database import database_url as check_url
from dps.kernel.errors import Misconfigured, meant

DEMO_SECRET = "demonstration-only-never-in-production"  # noqa: S105 - refused outside the demo, below
_OWN = "Value error, "


class IdentityProvider(BaseModel):
    """Where a council's staff sign in, and whose accounts it may speak for."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    key: str = Field(pattern=r"^[a-z0-9-]{1,40}$")
    name: str = Field(min_length=1, max_length=80)
    issuer: str = Field(pattern=r"^(https://|http://(localhost|127\.0\.0\.1)[:/])[^\s?#]+$")
    client_id: str
    client_secret: SecretStr
    authorities: tuple[str, ...] = Field(min_length=1)


class Settings(BaseSettings):
    """One process's settings. `demo` alone may run on the default secret."""

    model_config = SettingsConfigDict(env_prefix="DPS_", extra="ignore", frozen=True)

    demo: bool = False
    # It may hold a password, which must not show where settings are printed.
    database_url: str = Field(default="sqlite:///dps.sqlite3", repr=False)
    keys_dir: Path = Path("keys")
    identities_dir: Path = Path("identities")
    spool_dir: Path = Path("spool")
    # Where web processes note bids that were received and could not be stored.
    notes_dir: Path = Path("notes")
    # Between closing and opening: as long as a web process waits for a database's lock. What it still holds is noted.
    opens_after_s: int = Field(default=30, ge=0, le=3600)
    secret: SecretStr = SecretStr(DEMO_SECRET)
    host: str = "127.0.0.1"
    port: int = 8000
    # What links in messages begin with, where it is not the address that is listened on.
    site: str = ""
    mail: Literal["files", "smtp", "notify"] = "files"
    mail_from: str = "dps <no-reply@dps.invalid>"
    smtp_host: str = "localhost"
    smtp_port: int = 587
    smtp_tls: Literal["starttls", "tls", "none"] = "starttls"
    smtp_user: str = ""
    smtp_password: SecretStr = SecretStr("")
    notify_url: str = "https://api.notifications.service.gov.uk"
    notify_key: SecretStr = SecretStr("")
    notify_mail_template: str = ""
    notify_text_template: str = ""
    # A JSON list: [{"key": …, "name": …, "issuer": …, "client_id": …, "client_secret": …, "authorities": […]}].
    openid: tuple[IdentityProvider, ...] = ()
    # For a trial of webhooks on one machine; in life an endpoint is on a public address, over TLS.
    webhooks_to_loopback: bool = False
    clock: Literal["database", "accelerated"] = "database"
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    @field_validator("database_url")
    @classmethod
    def _is_a_database(cls, value: str) -> str:
        check_url(value)
        return value

    @field_validator("keys_dir", "identities_dir", "spool_dir", "notes_dir", "host", mode="before")
    @classmethod
    def _is_not_empty(cls, value: object) -> object:
        if value == "":
            raise ValueError("is empty")
        return value

    @field_validator("port", "smtp_port")
    @classmethod
    def _is_a_port(cls, value: int) -> int:
        if not 0 <= value < 65536:
            raise ValueError("is not a port (0 to 65535)")
        return value

    @field_validator("site", "notify_url")
    @classmethod
    def _is_an_address(cls, value: str) -> str:
        parts = urlsplit(value)
        if value and (parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment):
            raise ValueError("is not an address such as https://care.example.org")
        return value.rstrip("/")

    @field_validator("mail_from")
    @classmethod
    def _is_a_sender(cls, value: str) -> str:
        if not re.fullmatch(r"[^\r\n]*@[A-Za-z0-9.-]+>?", value):
            raise ValueError("is not a sender such as Home care <no-reply@care.example.org>")
        return value

    @property
    def address(self) -> str:
        """What every link to this installation begins with."""
        return self.site or f"http://{self.host}:{self.port}"

    @model_validator(mode="after")
    def _can_send(self) -> Self:
        is_here = self.smtp_host in ("localhost", "127.0.0.1", "::1")
        if self.mail == "smtp" and self.smtp_tls == "none" and not is_here:
            raise ValueError("DPS_SMTP_TLS=none is for a mail server on this machine only")
        if self.mail == "notify" and not (self.notify_key.get_secret_value() and self.notify_mail_template):
            raise ValueError("DPS_MAIL=notify needs DPS_NOTIFY_KEY and DPS_NOTIFY_MAIL_TEMPLATE")
        return self

    @model_validator(mode="after")
    def _is_safe(self) -> Self:
        if not self.demo:
            secret = self.secret.get_secret_value()
            if secret == DEMO_SECRET:
                raise ValueError("DPS_SECRET is not set: only the demo may run on the default secret")
            if len(secret) < 32:
                raise ValueError("DPS_SECRET is too short: use 32 characters or more")
            if self.clock == "accelerated":
                raise ValueError("DPS_CLOCK=accelerated is for the demo only")
        keys, identities = self.keys_dir.resolve(), self.identities_dir.resolve()
        if keys == identities or keys in identities.parents or identities in keys.parents:
            raise ValueError("DPS_IDENTITIES_DIR must lie apart from DPS_KEYS_DIR: only the worker may read identities")
        return self


def read_settings(**overrides: object) -> Settings:
    """The settings of this process; raises `Misconfigured` with one line per fault."""
    # A misspelt name would silently leave the default: another database, another folder of keys.
    if unknown := sorted(name for name in os.environ if name.startswith("DPS_") and name not in _NAMES):
        raise Misconfigured(reason="\n".join(f"{name} is no setting{meant(name, _NAMES)}" for name in unknown))
    try:
        return Settings(**overrides)  # type: ignore[arg-type]
    except SettingsError:
        raise Misconfigured(reason="DPS_OPENID: is not a JSON list") from None
    except ValidationError as faults:
        raise Misconfigured(reason="\n".join(_words(fault["loc"], fault["msg"]) for fault in faults.errors())) from None


_NAMES = sorted(f"DPS_{name.upper()}" for name in Settings.model_fields)


def _words(place: tuple[int | str, ...], message: str) -> str:
    """One line for one fault, never with the value: it may be a secret."""
    own = message.removeprefix(_OWN)
    if not place:
        return own
    name = f"DPS_{'_'.join(map(str, place)).upper()}"
    return f"{name} {own}" if message.startswith(_OWN) else f"{name}: {message[0].lower()}{message[1:]}"
