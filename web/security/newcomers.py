"""A provider that is on no register yet: an officer puts it there, with the first of its accounts.

From then on it is its own affair: that account invites its colleagues, uploads documents and applies. Of a provider
that is there already no officer makes an account: who looks after its own people is for the provider to say.
"""

from datetime import datetime

from sqlmodel import Session

from dps.kernel.actors import Actor
from dps.kernel.errors import AccountKnown, BadInput, RegisteredAlready
from dps.kernel.ports import Ports
from dps.register.providers import is_known_by_name, register_provider
from web.security.accounts import Account, Part, new_account
from web.security.invitations import ask_to_choose
from web.security.passwords import new_password


def welcome(
    session: Session,
    ports: Ports,
    *,
    name: str,
    company_number: str,
    person: str,
    email: str,
    actor: Actor,
    wall: datetime,
) -> tuple[Account, str]:
    """The provider's administrator account, and where its person chooses a password. BadInput names the field."""
    if not company_number and is_known_by_name(session, name):
        raise BadInput(
            "a provider of this name is on the register: if this is another, give its company number", field="name"
        )
    try:
        provider = register_provider(session, ports, name=name, company_number=company_number or None, actor=actor)
    except RegisteredAlready as known:
        raise BadInput(
            "this company is on the register already: whoever looks after its accounts can invite somebody",
            field="company_number",
        ) from known
    except BadInput as bad:
        raise BadInput(str(bad.reason), field="name" if bad.field == "name" else "company_number") from bad
    now = ports.clock.read(session)
    try:
        account = new_account(
            session, ports.entropy, email=email, name=person, part=Part.PROVIDER_ADMIN,
            password=new_password(), authority=None, provider=provider.ref, by=actor, now=now,
        )  # fmt: skip
    except AccountKnown:
        raise BadInput("this address has an account already", field="email") from None
    except BadInput as bad:
        raise BadInput(str(bad.reason), field="person" if bad.field == "name" else str(bad.field)) from bad
    return account, ask_to_choose(session, ports, account=account, by=actor, now=now, wall=wall)
