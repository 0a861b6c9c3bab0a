"""Who does something, in which role, for whom. Every command takes an `Actor` (law 9)."""

from dataclasses import dataclass
from enum import StrEnum

from dps.kernel.errors import Forbidden, NotFound


class Role(StrEnum):
    """The parts people and processes play. One account may hold several; an `Actor` acts in one."""

    BROKER = "broker"
    APPROVER = "approver"
    COMMISSIONER = "commissioner"
    AUDITOR = "auditor"
    REGISTER_OFFICER = "register_officer"
    REQUESTER = "requester"
    PROVIDER = "provider"
    ADMINISTRATOR = "administrator"
    CLOCK = "clock"


# Providers are shared by all authorities; administrators and auditors may be the installation's.
_OF_NO_AUTHORITY = frozenset({Role.PROVIDER, Role.ADMINISTRATOR, Role.AUDITOR})


@dataclass(frozen=True, slots=True)
class Actor:
    """One account acting in one role, within one authority or for one provider.

    `ref` names the account, never the person. The clock (the worker's sweeps) belongs to no authority.
    """

    ref: str
    role: Role
    authority: str | None = None
    provider: str | None = None

    def needs(self, step: str, *roles: Role) -> None:
        """Refuse unless this actor plays one of `roles`."""
        if self.role not in roles:
            raise Forbidden(actor=self.ref, step=step)

    def sees(self, kind: str, ref: str, *, authority: str | None = None, provider: str | None = None) -> None:
        """Refuse, as if it did not exist, what belongs to another authority or another provider.

        Who belongs to no authority sees what belongs to one only in a role of no authority's own.
        """
        if self.role is Role.CLOCK:
            return
        everywhere = self.authority is None and self.role in _OF_NO_AUTHORITY
        foreign_authority = authority is not None and self.authority != authority and not everywhere
        foreign_provider = self.role is Role.PROVIDER and provider is not None and self.provider != provider
        if foreign_authority or foreign_provider:
            raise NotFound(kind=kind, ref=ref)


CLOCK = Actor(ref="clock", role=Role.CLOCK)
