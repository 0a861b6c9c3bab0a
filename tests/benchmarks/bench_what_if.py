"""A commissioner's what-if on closed history: from the request to the whole page, goal 3 seconds each time.

    python -m tests.benchmarks.bench_what_if [--scheme worcestershire] [--seed 7] [--scale 1] [--answers 5]

The history is that of the demonstration: a council's working week of the scheme's own size, played to its end before
anything is measured (a minute). Then a commissioner opens the page, decides all of its closings again under other
rules, and each of the largest by itself, with its frontier where a locality wants another provider. The first answer is
told apart: the solver's child may still be loading. Prints times by the wall and what was left out because the time was
up; ends with 1 above the goal.
"""

import argparse
import re
import sys
import tempfile
import time
from pathlib import Path

from litestar import Litestar
from litestar.testing import TestClient
from pydantic import SecretStr
from rich.console import Console

from bidding.allocation.what_if import closings_over, over
from dps.kernel.actors import Actor, Role
from dps.kernel.clock import DatabaseClock
from dps.kernel.entropy import SystemEntropy
from dps.kernel.keys import load_keyring
from dps.kernel.ports import Ports
from dps.kernel.settings import Settings
from dps.schemes.loader import preset
from dps.schemes.published import standing_scheme
from matching import allocation as solver
from web.app import create_app
from web.assembly import Installation
from web.demo.command import ADMINISTRATOR, play
from web.demo.staging import prepare_database
from web.security import sessions
from web.security.accounts import Part, add_account

GOAL_S = 3.0
PAGE = "/office/what-if"


def history(folder: Path, scheme: str, seed: int, scale: int) -> Installation:
    """A council after a demonstration's week, as its pages know it."""
    settings = Settings(
        demo=True,
        database_url=f"sqlite:///{folder / 'week.sqlite3'}",
        keys_dir=folder / "keys",
        identities_dir=folder / "identities",
        secret=SecretStr("made-up-for-tests-made-up-for-tests"),
    )
    database = prepare_database(settings.database_url)
    play(preset(scheme), seed=seed, scale=scale, database=database, settings=settings, console=Console(stderr=True))
    ports = Ports(clock=DatabaseClock(), entropy=SystemEntropy(), keyring=load_keyring(settings.keys_dir))
    return Installation(settings, database, ports)


def commissioner(installation: Installation, client: TestClient[Litestar], authority: str) -> None:
    """Sign somebody in who answers for the scheme."""
    with installation.database.transaction() as session:
        now = installation.ports.clock.read(session)
        account = add_account(
            session,
            installation.ports.entropy,
            email="commissioner@example.org",
            name="Synthetic commissioner",
            part=Part.COMMISSIONER,
            password="a wide blue kettle",
            authority=authority,
            by=ADMINISTRATOR,
            now=now,
        )
        token = sessions.begin(session, account, is_half=False, now=now)
    client.cookies.set("dps-session", token)


def answered(client: TestClient[Litestar], address: str) -> tuple[float, str]:
    """Seconds from the request to the whole page, and what the page says of its answer."""
    began = time.perf_counter()
    page = client.get(address)
    took = time.perf_counter() - began
    assert page.status_code == 200, page.text
    said = re.search(r"[\d,]+ closings? decided again[^.]*", page.text)
    assert said is not None, "the page has no answer"
    return took, said[0]


def decided(installation: Installation, key: str) -> dict[str, solver.Instance]:
    """What each closing that is over was decided from, the one with most bids first."""
    with installation.database.reading() as session:
        scheme = standing_scheme(session, key)
        actor = Actor("benchmark", Role.COMMISSIONER, authority=scheme.authorities[0].key)
        refs = [ref for ref, _ in closings_over(session, scheme, actor)]
        found = {one.closing: one.run.instance for one in over(session, scheme, actor, refs)}
    read = {ref: solver.instance_from_json(text) for ref, text in found.items()}
    return dict(sorted(read.items(), key=lambda one: len(one[1].bids), reverse=True))


def main() -> int:
    """Play, ask, say."""
    asked = argparse.ArgumentParser()
    asked.add_argument("--scheme", default="worcestershire")
    asked.add_argument("--seed", type=int, default=7)
    asked.add_argument("--scale", type=int, default=1)
    asked.add_argument("--answers", type=int, default=5)
    wanted = asked.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        installation = history(Path(folder), wanted.scheme, wanted.seed, wanted.scale)
        instances = decided(installation, wanted.scheme)
        if not instances:
            sys.exit("This council's week has no closing that was decided: name another scheme.")
        packages, bids = (sum(len(getattr(one, what)) for one in instances.values()) for what in ("packages", "bids"))
        most = len(next(iter(instances.values())).bids)
        print(
            f"{wanted.scheme}: {len(instances)} closings, {packages:,} packages, {bids:,} bids, at most {most} in one"
        )
        with TestClient(create_app(installation)) as client:
            commissioner(installation, client, preset(wanted.scheme).authorities[0].key)
            worst = measured(client, list(instances)[: wanted.answers])
        installation.database.dispose()
    print(f"goal {GOAL_S:.0f} s: {'met' if worst <= GOAL_S else 'missed'}")
    return 0 if worst <= GOAL_S else 1


def measured(client: TestClient[Litestar], largest: list[str]) -> float:
    """Print the first answer, then as many of a whole month as of these closings by themselves; the longest of all."""
    months = re.findall(r'<option value="(\d{4}-\d\d)"', client.get(PAGE).text)
    worst = 0.0
    asks = [("the first answer", [f"{PAGE}?over={months[0]}&mode=joint"])]
    weights = [f"{PAGE}?over={months[0]}&mode=joint&price_weight={40 + n}" for n in range(len(largest))]
    asks.append(("a whole month", weights))
    asks.append(("one large closing", [f"{PAGE}?over={ref}&mode=joint" for ref in largest]))
    for name, addresses in asks:
        found = [answered(client, address) for address in addresses]
        longest, said = max(found)
        worst = max(worst, longest)
        print(f"{name:22} median {sorted(found)[len(found) // 2][0]:5.2f} s  longest {longest:5.2f} s  {said}")
    return worst


if __name__ == "__main__":
    sys.exit(main())
