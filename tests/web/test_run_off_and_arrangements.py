"""`dps run-off` and `dps arrangements`: from the command line to the rooms behind it, and their refusals in words."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from dps.kernel.actors import Actor, Role
from dps.kernel.clock import DatabaseClock
from dps.kernel.database import Database
from dps.kernel.entropy import SystemEntropy
from dps.kernel.keys import load_keyring
from dps.kernel.ports import Ports
from dps.register.membership import admit
from dps.register.providers import register_provider
from dps.register.suspensions import RunningContracts, SuspensionScope, suspend
from dps.schemes.published import standing_scheme
from tests.web.served import dps

OFFICER = Actor("officer-1", Role.REGISTER_OFFICER, "st-helens")
HERE = ("--authority", "st-helens")


@pytest.fixture
def suspended(installed: Path, database_url: str) -> tuple[str, str]:
    """A provider without contracts whose suspension transfers what it runs: references of both."""
    database = Database(database_url)
    ports = Ports(DatabaseClock(), SystemEntropy(), load_keyring(installed / "keys"))
    with database.transaction() as session:
        scheme = standing_scheme(session, "st-helens")
        made = register_provider(session, ports, name="Synthetic Oak", company_number=None, actor=OFFICER)
        request: dict[str, Any] = {"provider_id": made.id or 0, "scheme": scheme, "actor": OFFICER}
        admit(
            session,
            ports,
            **request,
            lists=["approved"],
            lots=["personal-care"],
            localities=[scheme.localities[0].key],
        )
        suspension = suspend(
            session,
            ports,
            **request,
            scope=SuspensionScope.ALL,
            running_contracts=RunningContracts.TRANSFER,
            because="It fails.",
        )
    database.dispose()
    return made.ref, suspension.ref


def test_a_caseload_of_nobody_is_decided_once(suspended: tuple[str, str], database_url: str) -> None:
    provider, suspension = suspended
    database = Database(database_url)
    with database.reading() as session:
        day = str(DatabaseClock().read(session).date() + timedelta(days=7))
    database.dispose()

    advised = dps("run-off", "advise", suspension, *HERE)
    decided = dps("run-off", "decide", suspension, *HERE, "--last-day", day, "--json")
    again = dps("run-off", "decide", suspension, *HERE, "--last-day", day)

    assert advised.stdout.startswith("Advice: 0 of 0 contracts")
    assert (json.loads(decided.stdout)["provider"], json.loads(decided.stdout)["contracts"]) == (provider, 0)
    assert again.exit_code == 1


def test_refusals_are_said_in_words(suspended: tuple[str, str]) -> None:
    provider, _ = suspended

    unknown = dps("run-off", "advise", "SUS-0000-0000-0000", *HERE)
    alone = dps(
        *("arrangements", "make", "--scheme", "st-helens", "--kind", "lead", "--lead", provider),
        *("--member", provider, "--from", "2030-01-01"),
    )
    share = dps(
        *("arrangements", "make", "--scheme", "st-helens", "--kind", "consortium", "--lead", provider),
        *("--member", f"{provider}=half", "--from", "2030-01-01"),
    )

    assert (unknown.exit_code, unknown.stderr.strip()) == (2, "There is no suspension SUS-0000-0000-0000.")
    assert (alone.exit_code, "single providers alone" in alone.stderr) == (1, True)
    assert (share.exit_code, "no whole percentage" in share.stderr) == (2, True)
