"""Starts a PostgreSQL cluster and ends it when its input closes, which happens however the tests end.

Run as `python -m tests.support.keeper FOLDER_OF_BINARIES`. Writes one line of JSON: `socket_folder` and `user`, or
`failed` with the reason. Uses the standard library alone.
"""

import contextlib
import json
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

# A lost cluster costs nothing, so nothing is written through to the disk. The time zone is a council server's, where
# a naive time shows.
SETTINGS = {
    "listen_addresses": "",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    # Old files of its log, kept to be written again, would be searched for what tests before have left.
    "wal_recycle": "off",
    "max_connections": "200",
    "shared_buffers": "64MB",
    "timezone": "Europe/London",
    "log_timezone": "UTC",
}
SUPERUSER = "dps"
# A council server sorts strings as people do, where a missing COLLATE shows; the wheel is built without ICU.
LOCALES = [["--locale-provider", "icu", "--icu-locale", "en-GB"], ["--locale-provider", "libc"]]
START_LIMIT_S = 60


def main(binaries: Path) -> int:
    """Keep a cluster until standard input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Linux allows 107 bytes for a socket's path, and TMPDIR may be longer.
    folder = Path(tempfile.mkdtemp(prefix="dps-postgres-", dir="/tmp"))
    try:
        with _server(binaries, folder) as failed:
            json.dump({"failed": failed} if failed else {"socket_folder": str(folder), "user": SUPERUSER}, sys.stdout)
            sys.stdout.write("\n")
            sys.stdout.flush()
            if not failed:
                sys.stdin.read()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return 0


@contextlib.contextmanager
def _server(binaries: Path, folder: Path) -> Iterator[str | None]:
    """A server in `folder`; yields why it did not start, or None."""
    owner = owner_of_a_server()
    if owner is not None:
        os.chown(folder, owner.pw_uid, owner.pw_gid)
        binaries = within_reach_of(owner, binaries, folder)
    cluster, log = folder / "cluster", folder / "log"
    if not any(initialised(binaries, cluster, locale, owner) for locale in LOCALES):
        yield _tail(log)
        return
    settings = [word for name, value in SETTINGS.items() for word in ("-c", f"{name}={value}")]
    server = run_as(owner, [f"{binaries}/postgres", "-D", f"{cluster}", "-k", f"{folder}", *settings], folder)
    try:
        yield None if is_ready(server, folder) else _tail(log)
    finally:
        # Immediate shutdown: no checkpoint, the folder goes anyway.
        server.send_signal(signal.SIGQUIT)
        server.wait()


def initialised(binaries: Path, cluster: Path, locale: list[str], owner: pwd.struct_passwd | None) -> bool:
    """Whether initdb made the cluster; it leaves nothing when it failed."""
    command = [f"{binaries}/initdb", "--pgdata", f"{cluster}", "--username", SUPERUSER, "--auth", "trust", "--no-sync"]
    command += ["--encoding", "UTF8", "--locale", "C", *locale]
    return run_as(owner, command, cluster.parent).wait() == 0


def owner_of_a_server() -> pwd.struct_passwd | None:
    """Whom to run the server as: PostgreSQL refuses root. None means ourselves."""
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam("postgres")
    except KeyError:
        return pwd.getpwnam("nobody")


def within_reach_of(owner: pwd.struct_passwd, binaries: Path, folder: Path) -> Path:
    """The binaries, copied into `folder` when they lie in a home that `owner` may not enter."""
    with contextlib.suppress(OSError):
        if run_as(owner, [f"{binaries}/postgres", "--version"], folder).wait() == 0:
            return binaries
    return Path(shutil.copytree(binaries.parent, folder / "postgresql", symlinks=True)) / "bin"


def run_as(owner: pwd.struct_passwd | None, command: list[str], folder: Path) -> subprocess.Popen[bytes]:
    """Start a command in `folder` as `owner`, its words going to the log there."""
    with (folder / "log").open("ab") as log:
        return subprocess.Popen(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env={"PATH": os.environ.get("PATH", os.defpath), "HOME": str(folder), "LC_ALL": "C"},
            user=owner and owner.pw_uid,
            group=owner and owner.pw_gid,
            extra_groups=owner and [],
        )


def is_ready(server: subprocess.Popen[bytes], folder: Path) -> bool:
    """Wait until the server takes connections; False when it ended or took too long."""
    pid_file, deadline = folder / "cluster" / "postmaster.pid", time.monotonic() + START_LIMIT_S
    while server.poll() is None and time.monotonic() < deadline:
        # The eighth line of the file is the server's own word about its state.
        with contextlib.suppress(FileNotFoundError, IndexError):
            if pid_file.read_text().splitlines()[7].strip() == "ready":
                return True
        time.sleep(0.02)
    return False


def _tail(log: Path) -> str:
    return log.read_text(errors="replace")[-2000:].strip() if log.exists() else "it left no log"


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
