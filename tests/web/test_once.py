"""A write that the database undid is made again, with one effect and one answer."""

from threading import Barrier

import pytest
from sqlmodel import Session

from dps.kernel.database import locked_one
from dps.register.providers import Provider
from tests.support.race import race
from tests.web.served import Served
from web.api.once import Answer, Write


@pytest.mark.parametrize("database_kind", ["postgresql"])
def test_of_two_writes_that_deadlock_both_are_answered(served: Served) -> None:
    one, two = (served.world.row_of(served.world.provider(f"Synthetic {name}")).id for name in ("Oak", "Elm"))
    both_hold_one, begun = Barrier(2), []

    def write(first: int | None, second: int | None) -> Answer:
        def command(session: Session) -> Answer:
            begun.append(first)
            locked_one(session, Provider, first)
            if begun.count(first) == 1:
                both_hold_one.wait()
            locked_one(session, Provider, second).name = f"Synthetic, renamed by {first}"
            return {"by": first}

        asked = Write(actor=served.world.broker, installation=served.installation, key=f"key {first}", asked="POST /")
        return asked.once(command)

    answers = race([lambda: write(one, two), lambda: write(two, one)])

    assert answers == [{"by": one}, {"by": two}]
    tries = len(begun)
    assert tries > 2
    assert write(one, two) == {"by": one}
    assert len(begun) == tries
