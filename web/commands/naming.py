"""How a command line names a scheme (by the key of one that comes with the engine, or by a file), buyers, providers."""

from pathlib import Path

from sqlmodel import Session

from dps.kernel.errors import BadInput, NotFound, meant
from dps.register.providers import provider_of
from dps.schemes.loader import load, preset, presets
from dps.schemes.model import Scheme
from dps.schemes.published import standing_schemes
from web.commands.speaking import OPERATOR


def scheme_named(name: str) -> Scheme:
    """The scheme with this key, or in this file. NotFound; BadScheme with every fault of the file."""
    known = presets()
    if name in known:
        return preset(name)
    if name.endswith(".toml") or "/" in name or Path(name).is_file():
        return load(Path(name))
    own = f"; a file of your own is named by its path, such as ./{name or 'ours'}.toml"
    raise NotFound(kind="preset scheme", ref=f"{name!r}{meant(name, known)}{own}")


def authority_named(scheme: Scheme, key: str | None) -> str:
    """The scheme's buyer with this key, or its only one; BadInput naming those there are."""
    keys = [authority.key for authority in scheme.authorities]
    if key is None and len(keys) == 1:
        return keys[0]
    if key not in keys:
        raise BadInput(f"name one of: {', '.join(keys)}", field="--authority")
    return key


def refuse_unknown(session: Session, *, provider: str | None, authority: str | None) -> None:
    """NotFound for a provider that is not registered, and for an authority that no published scheme names."""
    if provider is not None:
        provider_of(session, provider, OPERATOR)
    known = {one.key for scheme in standing_schemes(session) for one in scheme.authorities}
    if authority is not None and authority not in known:
        raise NotFound(kind="authority in the published schemes", ref=authority)
