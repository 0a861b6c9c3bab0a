"""Published rules, kept for ever under their hash.

A closing names the hash of the rules it was published under; what stands here answers for them years later, whatever
has become of the scheme file. A row is never changed and never deleted.
"""

from datetime import datetime

from sqlalchemy.exc import IntegrityError
from sqlmodel import Field, Session, SQLModel, select

from dps.kernel.actors import Actor, Role
from dps.kernel.audit import append
from dps.kernel.columns import id_column, utc_column
from dps.kernel.errors import Corrupted, NotFound, OutOfTerm
from dps.schemes.loader import canonical, from_canonical, hash_of
from dps.schemes.model import Scheme


class SchemeRules(SQLModel, table=True):
    """One published version of a scheme's rules: `text` is their canonical JSON, `rule_hash` its SHA-256 in hex."""

    __tablename__ = "scheme_rules"

    id: int | None = id_column()
    key: str = Field(index=True, max_length=32)
    rule_hash: str = Field(unique=True, max_length=64)
    text: str
    published_at: datetime = utc_column()
    published_by: str


def publish_rules(session: Session, scheme: Scheme, actor: Actor, now: datetime) -> SchemeRules:
    """Keep these rules, so that closings can name them; rules that stand already are returned as they stand.

    Rules may be published before the term begins, never after it has ended (OutOfTerm).
    """
    actor.needs("publish a scheme's rules", Role.COMMISSIONER, Role.ADMINISTRATOR)
    ends, today = scheme.term.ends, scheme.calendar().local(now).date()
    if ends is not None and today >= ends:
        raise OutOfTerm(scheme=scheme.key, starts=scheme.term.starts, ends=ends)
    text = canonical(scheme)
    digest = hash_of(text)
    standing = _row(session, digest)
    if standing is not None:
        return standing
    row = SchemeRules(key=scheme.key, rule_hash=digest, text=text, published_at=now, published_by=actor.ref)
    try:
        with session.begin_nested():
            session.add(row)
    except IntegrityError:
        # Somebody else published the same rules meanwhile: theirs stand.
        theirs = _row(session, digest)
        if theirs is None:
            raise
        return theirs
    append(session, f"scheme:{scheme.key}", "scheme.rules_published", actor, now, {"rule_hash": digest})
    return row


def rules_by_hash(session: Session, rule_hash: str) -> Scheme:
    """The rules that were published under this hash. NotFound if there are none; Corrupted if they were altered."""
    kept = _kept.get(rule_hash)
    if kept is not None:
        return kept
    row = _row(session, rule_hash)
    if row is None:
        raise NotFound(kind="published rules", ref=rule_hash)
    if hash_of(row.text) != rule_hash:
        raise Corrupted(reason=f"The rules stored under {rule_hash} are not those that were published.")
    return _kept.setdefault(rule_hash, from_canonical(row.text))


def _row(session: Session, rule_hash: str) -> SchemeRules | None:
    return session.exec(select(SchemeRules).where(SchemeRules.rule_hash == rule_hash)).one_or_none()


_kept: dict[str, Scheme] = {}
"""Schemes read in this process by their hash: what stands under a hash can never become anything else."""
