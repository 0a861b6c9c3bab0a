"""Whose officers answer for a provider: those of the schemes that it belongs to, or has asked to join."""

from collections.abc import Collection
from typing import Any

from sqlmodel import Session, col, or_, select

from dps.kernel.actors import Actor
from dps.register.applications import Application, ApplicationState
from dps.register.membership import Membership
from dps.schemes.model import Scheme
from dps.schemes.published import standing_schemes


def concerned_schemes(session: Session, provider_id: int) -> list[Scheme]:
    """The standing schemes that a provider belongs or belonged to, or has asked to join."""
    member = select(Membership.scheme).where(Membership.provider_id == provider_id)
    applied = select(Application.scheme).where(
        Application.provider_id == provider_id, col(Application.state) != ApplicationState.DRAFT
    )
    keys = {*session.exec(member), *session.exec(applied)}
    return [one for one in standing_schemes(session) if one.key in keys]


def answers_for(session: Session, actor: Actor, provider_id: int) -> bool:
    """Whether the officer's authority buys under one of these; the engine's own officer answers for everybody."""
    return actor.authority is None or any(
        actor.authority == authority.key
        for scheme in concerned_schemes(session, provider_id)
        for authority in scheme.authorities
    )


def of_these(provider_id: Any, schemes: Collection[str]) -> Any:
    """The condition on a column of provider ids: a member of these schemes, or an applicant to them."""
    members = select(Membership.provider_id).where(col(Membership.scheme).in_(schemes))
    applicants = select(Application.provider_id).where(
        col(Application.scheme).in_(schemes), col(Application.state) != ApplicationState.DRAFT
    )
    return or_(provider_id.in_(members), provider_id.in_(applicants))
