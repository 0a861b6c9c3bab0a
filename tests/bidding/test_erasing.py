"""Nobody is erased while a provider is still sought for them; afterwards no search can be begun."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlmodel import Session

from bidding import publishing
from bidding.erasing import erase_person
from bidding.referrals import open_referral
from dps.kernel.errors import Forbidden, NotFound, PersonErased, StillServed, StillSought
from dps.packages.erasure import ErasureReason
from dps.packages.facts import Confidential
from dps.packages.packages import Package, create_package, person_of
from dps.packages.persons import Person
from tests.dps.kernel.waiting import begun_and_waiting
from tests.support.world import World

WORDS = "Went to live with family."


def erase(world: World, **more: object) -> None:
    (person,) = world.rows(Person)
    ask = {"person_ref": person.ref, "reason": ErasureReason.PERSONS_REQUEST, "actor": world.second, **more}
    world.run(erase_person, **ask)


def drafted(world: World) -> str:
    return world.referral(publish_it=False)


def sought(world: World) -> str:
    world.provider("Synthetic Oak")
    return world.referral()


def held(world: World) -> str:
    referral = sought(world)
    world.run(publishing.hold, referral_ref=referral, reason=WORDS, actor=world.broker)
    return referral


def unfilled(world: World) -> str:
    return world.referral()


@pytest.mark.parametrize(
    ("state", "make"), [("draft", drafted), ("seeking", sought), ("held", held), ("unfilled", unfilled)]
)
def test_nobody_is_erased_while_a_referral_is_open(world: World, state: str, make: Callable[[World], str]) -> None:
    referral = make(world)
    assert world.state(referral) == state

    with pytest.raises(StillSought, match=referral):
        erase(world)

    world.run(publishing.withdraw, referral_ref=referral, reason=WORDS, actor=world.broker)
    erase(world)
    assert world.rows(Person)[0].erased_at == world.now
    assert world.faults() == []


def test_who_is_served_is_not_erased_either(world: World) -> None:
    oak = world.provider("Synthetic Oak")
    referral = world.referral()
    world.bid(oak, referral, pence=1600)
    world.close(referral)
    world.accept_and_confirm(world.award(referral), oak)

    with pytest.raises(StillServed):
        erase(world)


def test_an_erased_person_gets_no_referral_any_more(world: World) -> None:
    referral = world.referral(publish_it=False)
    world.run(publishing.withdraw, referral_ref=referral, reason=WORDS, actor=world.broker)
    erase(world)

    with pytest.raises(PersonErased):
        world.run(open_referral, package=world.rows(Package)[0], actor=world.broker)


@pytest.mark.parametrize("database_kind", ["postgresql"])
def test_a_referral_that_is_being_opened_is_waited_for(world: World) -> None:
    """The draft is not committed when somebody begins to erase its person."""
    first = drafted(world)
    world.run(publishing.withdraw, referral_ref=first, reason=WORDS, actor=world.broker)
    (package,) = world.rows(Package)
    with ThreadPoolExecutor(1) as pool:
        with world.database.transaction() as session:
            open_referral(session, world.ports, package=second_package(session, world, package), actor=world.broker)
            erasing = begun_and_waiting(pool, world.database, lambda: erase(world))
            was_waiting = not erasing.done()
        refused = erasing.exception()

    assert was_waiting
    assert isinstance(refused, StillSought)


def second_package(session: Session, world: World, like: Package) -> Package:
    """Another package of the same person."""
    return create_package(
        session,
        world.ports.keyring,
        world.ports.entropy,
        person_of(session, like),
        facts=like.facts,
        confidential=Confidential(postcode=f"{like.sector}AA", address="1 Example Street"),
        scheme=world.scheme,
        actor=world.broker,
        now=world.now,
    )


def test_only_approvers_of_the_persons_own_council_erase(world: World) -> None:
    world.referral(publish_it=False)

    for actor, error in ((world.broker, Forbidden), (world.acting_for("elsewhere").second, NotFound)):
        with pytest.raises(error):
            erase(world, actor=actor)
