"""Who may do something, and what does not exist for whom (law 9)."""

from dataclasses import FrozenInstanceError
from itertools import product

import pytest

from dps.kernel.actors import CLOCK, Actor, Role
from dps.kernel.errors import Forbidden, NotFound

OURS, THEIRS = "eastshire", "westshire"
COUNCIL = (Role.BROKER, Role.APPROVER, Role.COMMISSIONER, Role.REGISTER_OFFICER, Role.REQUESTER)
ANYWHERE = (Role.ADMINISTRATOR, Role.AUDITOR)


def does_see(actor: Actor, *, authority: str | None = None, provider: str | None = None) -> bool:
    try:
        actor.sees("award", "AWD-1", authority=authority, provider=provider)
    except NotFound:
        return False
    return True


@pytest.mark.parametrize("role", Role)
def test_only_the_roles_named_may(role: Role) -> None:
    actor = Actor(ref="USR-1", role=role)
    others = [other for other in Role if other is not role]

    actor.needs("open a bid", *others, role)
    with pytest.raises(Forbidden, match=r"^USR-1 may not open a bid\.$"):
        actor.needs("open a bid", *others)


@pytest.mark.parametrize("role", [*COUNCIL, *ANYWHERE])
def test_who_belongs_to_an_authority_sees_what_is_its_own_or_nobodys(role: Role) -> None:
    actor = Actor(ref="USR-1", role=role, authority=OURS)

    seen = {authority for authority in (OURS, THEIRS, None) if does_see(actor, authority=authority)}

    assert seen == {OURS, None}


@pytest.mark.parametrize("role", COUNCIL)
def test_who_should_belong_to_an_authority_and_does_not_sees_nothing_of_any(role: Role) -> None:
    actor = Actor(ref="USR-1", role=role)

    assert not does_see(actor, authority=OURS)
    assert does_see(actor)


@pytest.mark.parametrize("role", ANYWHERE)
def test_the_installations_own_people_see_every_authority(role: Role) -> None:
    actor = Actor(ref="USR-1", role=role)

    assert does_see(actor, authority=OURS, provider="PRV-1")
    assert does_see(actor, authority=THEIRS, provider="PRV-2")


def test_a_provider_sees_its_own_things_in_every_authority() -> None:
    actor = Actor(ref="USR-1", role=Role.PROVIDER, provider="PRV-1")
    things = product((OURS, THEIRS, None), ("PRV-1", "PRV-2", None))

    seen = {
        (authority, provider)
        for authority, provider in things
        if does_see(actor, authority=authority, provider=provider)
    }

    assert seen == set(product((OURS, THEIRS, None), ("PRV-1", None)))


def test_who_acts_for_no_provider_in_the_role_of_one_sees_no_providers_things() -> None:
    assert not does_see(Actor(ref="USR-1", role=Role.PROVIDER), provider="PRV-1")


def test_whose_thing_it_is_matters_to_nobody_but_providers() -> None:
    assert does_see(Actor(ref="USR-1", role=Role.BROKER, authority=OURS), authority=OURS, provider="PRV-1")


def test_the_clock_belongs_to_nobody_and_sees_everything() -> None:
    assert does_see(CLOCK, authority=OURS, provider="PRV-1")


def test_a_foreign_thing_is_refused_in_the_words_of_a_missing_one() -> None:
    missing = NotFound(kind="award", ref="AWD-1")

    with pytest.raises(NotFound) as foreign:
        Actor(ref="USR-1", role=Role.BROKER, authority=OURS).sees("award", "AWD-1", authority=THEIRS)

    assert (str(foreign.value), foreign.value.facts) == (str(missing), missing.facts)


def test_an_actor_can_not_become_another() -> None:
    actor = Actor(ref="USR-1", role=Role.BROKER, authority=OURS)

    with pytest.raises(FrozenInstanceError):
        actor.role = Role.ADMINISTRATOR  # type: ignore[misc]
