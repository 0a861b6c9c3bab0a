"""What the stories have in common before a round: a newcomer applies, shows its documents, and is admitted."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from dps.kernel.actors import Actor, Role
from dps.register import applications
from dps.register.applications import Application
from dps.register.documents import receive
from dps.register.providers import register_provider
from tests.support.world import World


def an_applicant(council: World) -> Actor:
    """A provider that the register knows and that is on no list."""
    made = council.run(register_provider, name="Synthetic Newcomer", company_number=None, actor=council.officer)
    return Actor(ref="newcomer-1", role=Role.PROVIDER, provider=made.ref)


def applied(
    council: World, who: Actor, answers: Mapping[str, Any] | None = None, *, localities: Sequence[str] = ()
) -> Application:
    """An application for the first lot, in the first locality unless told otherwise, handed in."""
    made: Application = council.run(
        applications.draft,
        provider_id=council.row_of(who).id or 0,
        scheme=council.scheme,
        lots=[council.scheme.lots[0].key],
        localities=localities or [council.scheme.localities[0].key],
        actor=who,
        answers=answers or {},
    )
    council.run(applications.submit, application=made, scheme=council.scheme, actor=who)
    return made


def shown(council: World, who: Actor, kind: str) -> None:
    """A document of this kind received from the provider, good for a year."""
    council.run(
        receive,
        provider_id=council.row_of(who).id or 0,
        kind=kind,
        sha256="1" * 64,
        expires_on=council.now.date() + timedelta(days=365),
        actor=council.officer,
    )


def approved(council: World, application: Application, *lists: str) -> None:
    council.run(
        applications.approve, application=application, scheme=council.scheme, lists=lists, actor=council.officer
    )
