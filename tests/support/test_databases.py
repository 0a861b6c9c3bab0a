"""The tests' own databases: two kinds, one empty database for each test, nothing left behind."""

import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlmodel import col, select

from dps.kernel import ending
from dps.kernel.database import Database
from dps.kernel.entropy import SeededEntropy
from dps.kernel.outbox import OutboxMessage, post
from tests.support.postgres import ROOT, find_binaries
from tests.support.schema import PostgresqlSchema

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def test_a_test_gets_an_empty_database_of_each_kind(database_url: str) -> None:
    engine = create_engine(database_url)

    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE only_here (id INTEGER PRIMARY KEY)"))
        rows = connection.execute(text("SELECT count(*) FROM only_here")).scalar_one()

    engine.dispose()
    assert rows == 0


@pytest.mark.parametrize("turn", ["first", "second"])
def test_a_test_finds_every_table_empty_and_ids_beginning_again(database: Database, turn: str) -> None:
    with database.transaction() as session:
        found = session.exec(select(OutboxMessage)).all()
        post(session, SeededEntropy(turn), recipient="authority:somewhere", kind="test", about=turn, now=NOON)
        ending.write(session)
        ids = session.exec(select(col(OutboxMessage.id))).all()

    assert (found, ids) == ([], [1])


def test_a_connection_left_open_does_not_stop_the_next_test(postgresql_schema: PostgresqlSchema) -> None:
    left = postgresql_schema.database()
    connection = left.engine.connect()
    connection.execute(text("LOCK TABLE outbox_message IN ACCESS EXCLUSIVE MODE"))

    again = postgresql_schema.database()

    with again.reading() as session:
        assert session.exec(select(OutboxMessage)).all() == []
    again.dispose()
    connection.invalidate()
    left.dispose()


@pytest.mark.database
@pytest.mark.postgresql
@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_killed_test_run_leaves_no_cluster_behind(ending: signal.Signals) -> None:
    program = (
        "import sys\n"
        "from tests.support.postgres import Cluster, find_binaries\n"
        "with Cluster(find_binaries()) as cluster:\n"
        "    print(cluster.socket_folder, flush=True)\n"
        "    sys.stdin.read()\n"
    )
    pipe = subprocess.PIPE
    run = subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, stdin=pipe, stdout=pipe, stderr=pipe, text=True)
    assert run.stdout is not None
    folder = Path(run.stdout.readline().strip())
    existed = (folder / "cluster").exists()

    run.send_signal(ending)
    run.communicate()  # until the keeper, which shares the run's stderr, has ended too

    assert (existed, folder.exists()) == (True, False)


def test_the_server_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("postgres", "initdb"):
        (tmp_path / name).touch()
    monkeypatch.setenv("TEST_POSTGRES_BIN", str(tmp_path))

    assert find_binaries() == tmp_path
