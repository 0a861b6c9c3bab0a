"""What people write about a package on its way: why its search was held, its award declined or overturned (law 7).

The words may speak of the person, so they are sealed under the person's key. The trail names the remark and a digest
of its ciphertext: who holds the row can prove it, and once the row is blanked the digest says nothing to anybody.
"""

import hashlib
from collections.abc import Collection
from datetime import datetime

from sqlmodel import Field, Session, SQLModel, col, select

from dps.kernel.actors import Actor
from dps.kernel.columns import bytes_column, id_column, link_column, ref_column, utc_column
from dps.kernel.database import locked_one
from dps.kernel.entropy import Entropy
from dps.kernel.errors import BadInput
from dps.kernel.keys import Keyring
from dps.kernel.references import Kind, new_reference
from dps.packages.packages import Package
from dps.packages.persons import Person, personal_box
from dps.packages.text import text

LONGEST = 2000


class Remark(SQLModel, table=True):
    """One person's words about one step of `about`. `words` is ciphertext, None once the person is erased."""

    __tablename__ = "remark"

    id: int | None = id_column()
    ref: str = ref_column()
    package_id: int = link_column("package.id")
    about: str = Field(max_length=24, index=True)
    step: str = Field(max_length=40)
    words: bytes | None = bytes_column(nullable=True)
    written_by: str = Field(max_length=64)
    written_at: datetime = utc_column()

    @property
    def facts(self) -> dict[str, str]:
        """What an event says of it."""
        assert self.words is not None
        return {"remark": self.ref, "sealed_sha256": hashlib.sha256(self.words).hexdigest()}


def said(words: str, *, what: str = "reason", least: int = 3, longest: int = LONGEST) -> str:
    """What was given as a reason, or as `what`, trimmed; BadInput where it is too short to be one, or too long."""
    trimmed = text(words, "reason")
    if not least <= len(trimmed) <= longest:
        raise BadInput(f"give the {what} in {least} to {longest:,} characters", field="reason")
    return trimmed


def write_remark(
    session: Session,
    keyring: Keyring,
    entropy: Entropy,
    package: Package,
    *,
    about: str,
    step: str,
    words: str,
    actor: Actor,
    now: datetime,
) -> Remark:
    """Keep `words` under the key of the package's person. PersonErased where there is none any more.

    The caller has made sure that this actor may take this step of `about`, and puts `facts` into its event.
    """
    holder = locked_one(session, Person, package.person_id, shared=True)
    assert package.id is not None
    ref = new_reference(Kind.REMARK, entropy)
    remark = Remark(
        ref=ref,
        package_id=package.id,
        about=about,
        step=step,
        words=personal_box(keyring, holder).seal(words.encode(), about=_about(ref)),
        written_by=actor.ref,
        written_at=now,
    )
    session.add(remark)
    session.flush()
    return remark


def words_of(keyring: Keyring, person: Person, remark: Remark) -> str | None:
    """What a remark about this person's package says; None once the person is erased."""
    if remark.words is None or person.wrapped_key is None:
        return None
    return personal_box(keyring, person).open(remark.words, about=_about(remark.ref)).decode()


def words_about(session: Session, keyring: Keyring, package_id: int, refs: Collection[str]) -> dict[str, list[str]]:
    """What was written about each of these, in order, while the package's person has a key.

    The caller has made sure that its actor may see them.
    """
    holder = session.get_one(Person, session.get_one(Package, package_id).person_id)
    query = select(Remark).where(Remark.package_id == package_id, col(Remark.about).in_(refs)).order_by(col(Remark.id))
    found: dict[str, list[str]] = {}
    for remark in session.exec(query):
        words = words_of(keyring, holder, remark)
        if words is not None:
            found.setdefault(remark.about, []).append(words)
    return found


def _about(ref: str) -> str:
    return f"{ref} remark"
