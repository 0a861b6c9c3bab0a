"""A council in the last minute before a closing: providers signed in, packages open, every bid still to be sent."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlencode

from dps.kernel.actors import Role
from dps.kernel.clock import DatabaseClock
from dps.kernel.database import Database
from tests.benchmarks.bids.load import Asked
from tests.faults.instants import run_in_real_time
from tests.support.world import World
from tests.web.served import ADMINISTRATOR
from web.security import sessions
from web.security.accounts import Part, add_account
from web.security.api_keys import create

PASSWORD = "synthetic-and-long-enough"


class Council:
    """`providers` asked for each of `packages`: so many bids can be sent once by the form and once by the API."""

    def __init__(self, database: Database, folder: Path, *, providers: int, packages: int) -> None:
        self.world = World(database, folder)
        world = self.world
        actors = [world.provider(f"Synthetic {number}", hours=10_000) for number in range(providers)]
        referrals = [world.referral() for _ in range(packages)]
        self.rounds = [world.round(referral).ref for referral in referrals]
        self.content = world.content(referrals[0], 1650).to_dict()
        self.closes_at = min(world.closes_at(referral) for referral in referrals)
        self.keys, self.tokens = [], []
        with database.transaction() as session:
            real, now = DatabaseClock().read(session), world.clock.read(session)
            for number, actor in enumerate(actors):
                assert actor.provider is not None
                _, key = create(
                    session, world.ports.entropy, label="a benchmark", role=Role.PROVIDER, authority=None,
                    provider=actor.provider, days=30, by=ADMINISTRATOR, now=now,
                )  # fmt: skip
                account = add_account(
                    session, world.ports.entropy, email=f"provider-{number}@example.org", name="Synthetic User",
                    part=Part.PROVIDER_USER, password=PASSWORD, authority=None, provider=actor.provider,
                    by=ADMINISTRATOR, now=now,
                )  # fmt: skip
                self.keys.append(key)
                self.tokens.append(sessions.begin(session, account, is_half=False, now=real))
        run_in_real_time(world, now + timedelta(seconds=1))

    def forms(self, price: str = "16.50") -> Iterator[Asked]:
        """A bid of everybody for everything, as a browser sends the form of a provider that has signed in."""
        fields = {
            "price-weekday": price,
            "starts_on": self.content["starts_on"],
            **{f"answer-{key}": answer for key, answer in self.content["answers"].items()},
        }
        for number, round_ in enumerate(self.rounds):
            for token in self.tokens:
                body = urlencode({**fields, "csrf": sessions.csrf_of(token), "once": f"{price} {number}"})
                yield Asked(
                    f"/portal/opportunities/{round_}/bid/submission",
                    body.encode(),
                    {"Content-Type": "application/x-www-form-urlencoded", "Cookie": f"dps-session={token}"},
                )

    def posts(self, again: str = "post") -> Iterator[Asked]:
        """The same as a provider's own system sends it, under keys of its own for each `again`."""
        for number, round_ in enumerate(self.rounds):
            body = json.dumps({"rounds": [round_], "bid": self.content}).encode()
            for key in self.keys:
                headers = {
                    "Content-Type": "application/json",
                    "Authorization": f"Bearer {key}",
                    "Idempotency-Key": f"{again} {number}",
                }
                yield Asked("/api/bids", body, headers)
