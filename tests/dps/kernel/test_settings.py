"""Settings: every nonsense refused at start, by the variable's name, without showing a secret."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from dps.kernel.errors import Misconfigured
from dps.kernel.settings import DEMO_SECRET, Settings, read_settings

SECRET = "a-secret-of-more-than-thirty-two-characters"

Set = Callable[..., None]


@pytest.fixture
def env(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Set:
    """Sets variables; without any, those of a production installation that may start."""
    for name in os.environ:
        if name.startswith("DPS_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DPS_SECRET", SECRET)

    def set_all(**values: str | None) -> None:
        for name, value in values.items():
            if value is None:
                monkeypatch.delenv(f"DPS_{name}")
            else:
                monkeypatch.setenv(f"DPS_{name}", value)

    return set_all


def refusal() -> str:
    with pytest.raises(Misconfigured) as refused:
        read_settings()
    return str(refused.value)


def test_a_secret_is_all_that_an_installation_must_set(env: Set) -> None:
    env()

    settings = read_settings()

    assert settings.database_url == "sqlite:///dps.sqlite3"
    assert (settings.demo, settings.clock, settings.host, settings.port) == (False, "database", "127.0.0.1", 8000)


def test_settings_are_read_from_the_environment(env: Set) -> None:
    env(
        DATABASE_URL="postgresql://dps@db/dps",
        KEYS_DIR="/srv/keys",
        IDENTITIES_DIR="/srv/identities",
        SPOOL_DIR="/srv/spool",
        HOST="0.0.0.0",
        PORT="80",
        LOG_LEVEL="debug",
    )

    settings = read_settings()

    assert settings.database_url == "postgresql://dps@db/dps"
    assert (settings.keys_dir, settings.identities_dir) == (Path("/srv/keys"), Path("/srv/identities"))
    assert (settings.host, settings.port) == ("0.0.0.0", 80)
    assert (settings.secret.get_secret_value(), settings.log_level) == (SECRET, "debug")


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("DATABASE_URL", "", "is not a database address"),
        ("SITE", "care.example.org", "is not an address such as"),
        ("MAIL_FROM", "nobody", "is not a sender such as"),
        ("SMTP_PORT", "70000", "is not a port"),
        ("OPENID", "nonsense", "is not a JSON list"),
        ("MAIL", "notify", "needs DPS_NOTIFY_KEY"),
        ("DATABASE_URL", "nonsense", "is not a database address"),
        ("DATABASE_URL", "mysql://dps:hunter2@db/dps", "names mysql: use sqlite or postgresql"),
        ("DATABASE_URL", "postgresql+asyncpg://db/dps", "names postgresql+asyncpg"),
        ("DATABASE_URL", "sqlite://", "in memory"),
        ("KEYS_DIR", "", "is empty"),
        ("IDENTITIES_DIR", "", "is empty"),
        ("SPOOL_DIR", "", "is empty"),
        ("HOST", "", "is empty"),
        ("PORT", "", "input should be a valid integer"),
        ("PORT", "http", "input should be a valid integer"),
        ("PORT", "-1", "is not a port"),
        ("PORT", "65536", "is not a port"),
        ("CLOCK", "sundial", "input should be 'database' or 'accelerated'"),
        ("LOG_LEVEL", "loud", "input should be 'debug'"),
        ("DEMO", "perhaps", "input should be a valid boolean"),
        ("SECRET", "", "is too short: use 32 characters or more"),
        ("SECRET", "x" * 31, "is too short: use 32 characters or more"),
        ("SECRET", DEMO_SECRET, "is not set: only the demo may run on the default secret"),
        ("CLOCK", "accelerated", "is for the demo only"),
    ],
)
def test_nonsense_is_refused_by_the_variables_name(env: Set, name: str, value: str, words: str) -> None:
    env(**{name: value})

    line = refusal()

    assert line.startswith(f"DPS_{name}")
    assert words in line
    assert "hunter2" not in line


def test_a_misspelt_setting_is_refused_rather_than_left_at_its_default(env: Set) -> None:
    env(DATABASE_ULR="postgresql://dps@db/dps")

    assert refusal() == "DPS_DATABASE_ULR is no setting (did you mean 'DPS_DATABASE_URL'?)"


def test_every_fault_has_its_line(env: Set) -> None:
    env(PORT="http", CLOCK="sundial", DATABASE_URL="nonsense")

    assert sorted(line.partition(" ")[0].rstrip(":") for line in refusal().splitlines()) == (
        ["DPS_CLOCK", "DPS_DATABASE_URL", "DPS_PORT"]
    )


def test_without_a_secret_only_the_demo_starts(env: Set) -> None:
    env(SECRET=None)

    assert refusal() == "DPS_SECRET is not set: only the demo may run on the default secret"
    assert read_settings(demo=True).secret.get_secret_value() == DEMO_SECRET


def test_the_demo_may_run_on_an_accelerated_clock(env: Set) -> None:
    env(SECRET=None, DEMO="true", CLOCK="accelerated")

    assert read_settings().clock == "accelerated"


@pytest.mark.parametrize(
    ("keys", "identities"),
    [
        ("keys", "keys"),
        ("keys", "./keys"),
        ("keys", "elsewhere/../keys"),
        ("keys", "keys/identities"),
        ("identities/keys", "identities"),
        ("keys", "link"),
    ],
)
@pytest.mark.parametrize("demo", ["true", "false"])
def test_identities_lie_apart_from_the_keys_that_every_process_reads(
    env: Set, tmp_path: Path, keys: str, identities: str, demo: str
) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "keys")
    env(KEYS_DIR=keys, IDENTITIES_DIR=identities, DEMO=demo)

    assert refusal() == "DPS_IDENTITIES_DIR must lie apart from DPS_KEYS_DIR: only the worker may read identities"


def test_settings_show_no_secret_when_they_are_printed(env: Set) -> None:
    env(DATABASE_URL="postgresql://dps:hunter2@db/dps")

    printed = repr(read_settings()) + str(read_settings())

    assert "hunter2" not in printed
    assert SECRET not in printed


def test_settings_stay_as_they_were_read(env: Set) -> None:
    env()
    settings = read_settings()

    with pytest.raises(ValueError, match="frozen"):
        settings.demo = True  # type: ignore[misc]


def test_every_setting_is_read_by_something_of_the_product() -> None:
    root = Path(__file__).resolve().parents[3]
    source = "\n".join(
        path.read_text()
        for package in ("dps", "matching", "bidding", "web")
        for path in (root / package).rglob("*.py")
        if path.name != "settings.py"
    )

    # The secret is only held against the default, when the settings are read; the site is read as `address`.
    assert [name for name in Settings.model_fields if f"settings.{name}" not in source] == ["secret", "site"]


def test_every_setting_has_a_variable_that_reaches_it(env: Set) -> None:
    values = {
        "demo": "true",
        "database_url": "sqlite:///other.sqlite3",
        "keys_dir": "k",
        "identities_dir": "i",
        "spool_dir": "s",
        "notes_dir": "n",
        "opens_after_s": "5",
        "secret": "x" * 32,
        "host": "h",
        "port": "1",
        "site": "https://care.example.org",
        "mail": "notify",
        "mail_from": "Care <no-reply@care.example.org>",
        "smtp_host": "mail",
        "smtp_port": "25",
        "smtp_tls": "tls",
        "smtp_user": "u",
        "smtp_password": "p",
        "notify_url": "https://notify.example.org",
        "notify_key": "k",
        "notify_mail_template": "m",
        "notify_text_template": "t",
        "webhooks_to_loopback": "true",
        "openid": "[]",
        "clock": "accelerated",
        "log_level": "error",
    }
    env(**{name.upper(): value for name, value in values.items()})

    settings = read_settings()

    assert set(values) == set(Settings.model_fields)
    assert settings.model_fields_set == set(values)
