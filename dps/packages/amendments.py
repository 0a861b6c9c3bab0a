"""Changing a package: a new version for what bids rest on, a correction for what they don't.

Source: design.md §4: bids on the old version lapse unless reconfirmed; a correction without effect only notifies.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session

from dps.kernel.actors import Actor
from dps.kernel.errors import NotACorrection, NothingChanged
from dps.kernel.keys import Keyring
from dps.packages.facts import CORRECTABLE, Confidential, FreeText, PackageFacts, check_against_scheme
from dps.packages.packages import (
    WRITING,
    Package,
    locked_as_read,
    open_confidential,
    open_free_text,
    person_of,
    record_version,
    seal_confidential,
    seal_free_text,
)
from dps.packages.persons import personal_box
from dps.packages.residence import refuse_other_council
from dps.schemes.model import Scheme


@dataclass(frozen=True, slots=True)
class Change:
    """What a command changed: the fields' names, and whether bids on the version before still fit."""

    version: int
    changed: tuple[str, ...]
    is_new_version: bool


# Commands


def amend(
    session: Session,
    keyring: Keyring,
    package: Package,
    *,
    facts: PackageFacts | None = None,
    confidential: Confidential | None = None,
    free_text: FreeText | None = None,
    edition: str | None = None,
    scheme: Scheme,
    actor: Actor,
    now: datetime,
    is_checked: bool = True,
) -> Change:
    """Make the next version. What is None stays as it is; NothingChanged if all of it does.

    Where the clock moves days alone it is not `is_checked` against the scheme: what stood before was published.

    StateChanged if the package is no longer of `edition`, the one a form was filled in from (of the row's, where none
    is given). Changed free text is held back again.
    """
    return _change(
        session, keyring, package, facts, confidential, free_text, edition, scheme, actor, now,
        is_correction=False, is_checked=is_checked,
    )  # fmt: skip


def correct(
    session: Session,
    keyring: Keyring,
    package: Package,
    *,
    facts: PackageFacts | None = None,
    confidential: Confidential | None = None,
    free_text: FreeText | None = None,
    edition: str | None = None,
    scheme: Scheme,
    actor: Actor,
    now: datetime,
) -> Change:
    """Mend what no bid rests on, within the version; NotACorrection names the fields that take an amendment."""
    return _change(
        session, keyring, package, facts, confidential, free_text, edition, scheme, actor, now, is_correction=True
    )


def _change(
    session: Session,
    keyring: Keyring,
    package: Package,
    facts: PackageFacts | None,
    confidential: Confidential | None,
    free_text: FreeText | None,
    edition: str | None,
    scheme: Scheme,
    actor: Actor,
    now: datetime,
    *,
    is_correction: bool,
    is_checked: bool = True,
) -> Change:
    actor.needs("change a package", *WRITING)
    current = locked_as_read(session, package, edition, actor)
    box = personal_box(keyring, person_of(session, current))
    before, words, hidden = current.facts, open_free_text(box, current), open_confidential(box, current)
    wanted, new_words, new_hidden = facts or before, free_text or words, confidential or hidden
    if is_checked:
        check_against_scheme(wanted, new_hidden, scheme, current.authority)
    if new_hidden.postcode != hidden.postcode:
        refuse_other_council(session, new_hidden.postcode, scheme, current.authority)
    changed = _differences((before, wanted), (words, new_words), (hidden, new_hidden))
    if not changed:
        raise NothingChanged(ref=current.ref)
    lasting = sorted(set(changed) - CORRECTABLE)
    if is_correction and lasting:
        raise NotACorrection(fields=", ".join(lasting))
    for name, value in wanted.columns().items():
        setattr(current, name, value)
    current.weekly_minutes = wanted.weekly_minutes
    if new_words != words:
        seal_free_text(box, current, new_words)
    if new_hidden != hidden:
        seal_confidential(box, current, new_hidden)
    current.version, current.correction = (
        (current.version, current.correction + 1) if is_correction else (current.version + 1, 0)
    )
    current.changed_at = now
    session.add(current)
    session.flush()
    kind = "package.corrected" if is_correction else "package.amended"
    record_version(session, current, kind, changed, actor, now, {})
    return Change(version=current.version, changed=changed, is_new_version=not is_correction)


def _differences(*pairs: tuple[Any, Any]) -> tuple[str, ...]:
    return tuple(
        sorted(
            name
            for before, after in pairs
            for name in type(before).__slots__
            if getattr(before, name) != getattr(after, name)
        )
    )
