"""Notes of bids that were received and not stored, kept on this machine until the database can be told.

While the database is away nobody can be asked who sent a bid, so a note names its sender by what the sender showed: the
SHA-256 of a session or of an API key, as the database keeps them. It says which rounds a bid was for, under which key
and when it came, and nothing of what it said. Each note is a file of its own, on the disk before the sender is answered
that it was written; a thread tells the database as soon as it is back, and the file is gone.
"""

import hashlib
import json
import os
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Literal

from litestar.connection import ASGIConnection
from sqlmodel import Session

from bidding.unkept import note_unkept
from dps.kernel.actors import Actor, Role
from dps.kernel.clock import Clock, machine_time
from dps.kernel.columns import canonical_json
from dps.kernel.database import is_away
from dps.kernel.entropy import SystemEntropy
from dps.kernel.errors import DpsError
from dps.kernel.logs import log
from web.assembly import Installation
from web.pages.cookies import session_token
from web.receiving import Sent, bids_of, received
from web.security import api_keys, sessions

MOST = 10_000
"""Files in the folder: whoever floods a machine in its worst hour fills no disk."""

_SUFFIX = ".note"
_PAUSE_S = 1.0


@dataclass(frozen=True, slots=True)
class Note:
    """One request: who showed what, when it was here, and the bids that it held."""

    shown: Literal["session", "api_key"]
    sha256: str
    at: datetime
    bids: Sequence[Sent]

    def written(self) -> bytes:
        bids = [[list(one.rounds), one.key] for one in self.bids]
        facts = {"shown": self.shown, "sha256": self.sha256, "at": self.at.isoformat(), "bids": bids}
        return canonical_json(facts).encode()

    @classmethod
    def read(cls, content: bytes) -> "Note":
        found = json.loads(content)
        bids = [Sent(tuple(rounds), key) for rounds, key in found["bids"]]
        return cls(found["shown"], found["sha256"], datetime.fromisoformat(found["at"]), bids)


@dataclass
class Notes:
    """The notes of one machine, which all of its web processes write and tell. `wall` is the time of sessions."""

    installation: Installation
    wall: Clock
    _telling: threading.Lock = field(default_factory=threading.Lock, init=False)
    _teller: threading.Lock = field(default_factory=threading.Lock, init=False)
    """Held while a thread tells: however many notes are kept, one of them does."""
    _ended: threading.Event = field(default_factory=threading.Event, init=False)

    @property
    def folder(self) -> Path:
        return self.installation.settings.notes_dir

    def keep(self, connection: ASGIConnection[Any, Any, Any, Any]) -> bool:
        """Note what this request was to hand in; whether it stands on the disk now."""
        note = _note_of(connection)
        if note is None:
            return False
        try:
            self._write(note.written())
        except OSError as fault:
            log().error("note.lost", error=type(fault).__name__, number=len(note.bids))
            return False
        log().warning("note.kept", number=len(note.bids))
        self.tell_soon()
        return True

    def _write(self, content: bytes) -> None:
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if len(self._files()) >= MOST:
            raise OSError("the folder is full of notes")
        path = self.folder / f"{SystemEntropy().token(16).hex()}{_SUFFIX}"
        with os.fdopen(os.open(path.with_suffix(".new"), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        path.with_suffix(".new").replace(path)
        descriptor = os.open(self.folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def _files(self) -> list[Path]:
        return sorted(self.folder.glob(f"*{_SUFFIX}")) if self.folder.is_dir() else []

    def tell_soon(self) -> None:
        """Tell the database in a thread of its own, again and again until every note is told."""
        if self._files() and not self._ended.is_set() and self._teller.acquire(blocking=False):
            threading.Thread(target=self._tell_until_told, name="notes", daemon=True).start()

    def end(self) -> None:
        """Tell no more. What is left on the disk is told by the next process that begins."""
        self._ended.set()

    def _tell_until_told(self) -> None:
        try:
            while self._files() and not self._ended.is_set():
                try:
                    self.tell()
                except Exception as fault:
                    # Away still: it is asked again.
                    log().info("note.waits", error=type(fault).__name__)
                if self._files():
                    self._ended.wait(_PAUSE_S)
        finally:
            self._teller.release()
        # One that was kept between the last look and the release found this thread still at it.
        self.tell_soon()

    def tell(self) -> int:
        """Tell the database every note; returns how many bids it wrote down. Raises where it is still away."""
        done = 0
        with self._telling:
            for path in self._files():
                try:
                    note = Note.read(path.read_bytes())
                except FileNotFoundError:
                    continue  # Another process has told it.
                except (ValueError, KeyError, TypeError):
                    log().error("note.unreadable")
                    path.replace(path.with_suffix(".unreadable"))
                    continue
                done += self._told_of(path, note)
        return done

    def _told_of(self, path: Path, note: Note) -> int:
        try:
            done = self.installation.database.run(partial(self._told, note))
        except Exception as fault:
            if is_away(fault):
                raise
            # Not tried for ever; it lies there for an engineer.
            log().error("note.untold", error=type(fault).__name__)
            path.replace(path.with_suffix(".untold"))
            return 0
        path.unlink(missing_ok=True)
        return done

    def _told(self, note: Note, session: Session) -> int:
        ago = max(machine_time() - note.at, timedelta(0))
        # In a demonstration, whose time runs faster, a loss seems later than it was; there none is ours.
        at = self.installation.ports.clock.read(session) - ago
        actor = self._sender(session, note, at, self.wall.read(session) - ago)
        if actor is None or actor.role is not Role.PROVIDER:
            log().warning("note.of_nobody", number=len(note.bids))
            return 0
        return sum(self._noted(session, one, actor, at) for one in note.bids)

    def _noted(self, session: Session, one: Sent, actor: Actor, at: datetime) -> int:
        try:
            noted = note_unkept(
                session,
                self.installation.ports,
                rounds=one.rounds,
                idempotency_key=one.key,
                received_at=at,
                actor=actor,
            )
        except DpsError:
            return 0  # A round that this provider is not asked in, or a key that is none: it would have been refused.
        return int(noted)

    def _sender(self, session: Session, note: Note, at: datetime, at_wall: datetime) -> Actor | None:
        if note.shown == "api_key":
            return api_keys.actor_by_hash(session, note.sha256, at)
        account = sessions.account_by_hash(session, note.sha256, at_wall)
        return account.actor if account else None


def _note_of(connection: ASGIConnection[Any, Any, Any, Any]) -> Note | None:
    """The note of a request that hands in bids, from somebody who may be known; None for any other."""
    found = received(connection)
    bids = bids_of(connection, found) if found else ()
    if found is None or not bids:
        return None
    kind, _, key = connection.headers.get("authorization", "").partition(" ")
    if kind.lower() == "bearer":
        return Note("api_key", _sha256(key.strip()), found.at, bids)
    token = session_token(connection)
    return Note("session", _sha256(token), found.at, bids) if token else None


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
