"""Which rules stand: the latest published ones of each scheme."""

from collections.abc import Sequence

from sqlmodel import Session, col, func, select

from dps.kernel.errors import NotFound
from dps.schemes.loader import from_canonical
from dps.schemes.model import Scheme
from dps.schemes.stored import SchemeRules, rules_by_hash


def standing_rules(session: Session) -> Sequence[SchemeRules]:
    """The rules published last for each scheme, in order of the schemes' keys."""
    latest = select(func.max(SchemeRules.id)).group_by(SchemeRules.key)
    return session.exec(select(SchemeRules).where(col(SchemeRules.id).in_(latest)).order_by(col(SchemeRules.key))).all()


def standing_schemes(session: Session) -> list[Scheme]:
    """The same, read; for lists: nothing is checked against its hash (`standing_scheme` does)."""
    return [from_canonical(rules.text) for rules in standing_rules(session)]


def standing_scheme(session: Session, key: str) -> Scheme:
    """The rules of one scheme as they were published last. NotFound; Corrupted where they were altered since."""
    query = select(SchemeRules.rule_hash).where(SchemeRules.key == key).order_by(col(SchemeRules.id).desc()).limit(1)
    found = session.exec(query).first()
    if found is None:
        raise NotFound(kind="published scheme", ref=key)
    return rules_by_hash(session, found)
