"""Rules that a commissioner proposes for the next publication: kept, read, compared in words, taken away as TOML.

A proposal is no rule: nothing reads it but the people who decide what is published next (`dps schemes publish`).
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import tomli_w
from sqlmodel import Field, Session, SQLModel, col, select

from dps.kernel.actors import Actor, Role
from dps.kernel.audit import append
from dps.kernel.columns import id_column, json_column, ref_column, utc_column
from dps.kernel.errors import NotFound
from dps.kernel.ports import Ports
from dps.kernel.references import Kind, new_reference
from dps.schemes.loader import canonical, from_canonical, rule_hash
from dps.schemes.model import AllocationMode, Scheme


class RulesProposal(SQLModel, table=True):
    """One proposal: `text` is canonical JSON, `base_hash` names the rules it would follow; never changed.

    `looked_at` says which closings it was tried on, `figures` what it came to there.
    """

    __tablename__ = "rules_proposal"

    id: int | None = id_column()
    ref: str = ref_column()
    scheme: str = Field(max_length=32, index=True)
    authority: str = Field(max_length=40)
    base_hash: str = Field(max_length=64)
    text: str
    looked_at: str = Field(max_length=40)
    figures: Any = json_column()
    proposed_at: datetime = utc_column()
    proposed_by: str = Field(max_length=64)

    @property
    def rules(self) -> Scheme:
        """What is proposed, as a scheme."""
        return from_canonical(self.text)


def propose(
    session: Session,
    ports: Ports,
    *,
    base: Scheme,
    rules: Scheme,
    looked_at: str,
    figures: Mapping[str, Any],
    actor: Actor,
) -> str:
    """Keep these rules as a proposal of the actor's authority; returns its reference."""
    actor.needs("propose rules", Role.COMMISSIONER)
    if all(one.key != actor.authority for one in base.authorities):
        raise NotFound(kind="scheme", ref=base.key)
    now = ports.clock.read(session)
    row = RulesProposal(
        ref=new_reference(Kind.PROPOSAL, ports.entropy),
        scheme=base.key,
        authority=actor.authority or "",
        base_hash=rule_hash(base),
        text=canonical(rules),
        looked_at=looked_at,
        figures=dict(figures),
        proposed_at=now,
        proposed_by=actor.ref,
    )
    session.add(row)
    facts = {"proposal": row.ref, "base_hash": row.base_hash, "rule_hash": rule_hash(rules)}
    append(session, f"scheme:{base.key}", "scheme.rules_proposed", actor, now, facts)
    return row.ref


def proposals(session: Session, actor: Actor) -> Sequence[RulesProposal]:
    """Those of the actor's authority, the latest first."""
    actor.needs("read proposed rules", Role.COMMISSIONER)
    query = select(RulesProposal).where(RulesProposal.authority == actor.authority)
    return session.exec(query.order_by(col(RulesProposal.id).desc())).all()


def proposal_of(session: Session, ref: str, actor: Actor) -> RulesProposal:
    """One of them; NotFound to every other authority."""
    actor.needs("read proposed rules", Role.COMMISSIONER)
    query = select(RulesProposal).where(RulesProposal.ref == ref, RulesProposal.authority == actor.authority)
    found = session.exec(query).first()
    if found is None:
        raise NotFound(kind="proposal", ref=ref)
    return found


def as_toml(rules: Scheme) -> str:
    """A scheme file of these rules, all defaults written out: it loads to the same rules, by hash."""
    return tomli_w.dumps(_without_nothing(json.loads(canonical(rules))), multiline_strings=False)


def _without_nothing(value: Any) -> Any:
    """TOML has no null: what is not set is left out."""
    if isinstance(value, dict):
        return {key: _without_nothing(one) for key, one in value.items() if one is not None}
    if isinstance(value, list):
        return [_without_nothing(one) for one in value]
    return value


def varied(rules: Scheme, *, price_weight: int | None, joint: bool, terms: Mapping[str, Any]) -> dict[str, Any]:
    """Changes of these rules for `with_changes`: the weights of price and quality, the mode, the priced terms.

    A joint allocation publishes every term that stands; one by one without advice there are none.
    """
    allocation = json.loads(canonical(rules))["allocation"]
    kept = {name: value for name, value in terms.items() if value not in (None, {})}
    if not joint and not rules.allocation.joint_as_advice:
        kept = {}
    allocation |= {"mode": str(AllocationMode.JOINT if joint else AllocationMode.PER_PACKAGE), "terms": kept}
    published = [name for name in allocation["published"] if name in kept]
    allocation["published"] = sorted(kept) if joint else published
    allocation["joint_as_advice"] = rules.allocation.joint_as_advice and not joint
    changes: dict[str, Any] = {"allocation": allocation}
    if price_weight is not None:
        weights = {"price_weight": price_weight, "quality_weight": 100 - price_weight}
        changes["evaluation"] = json.loads(canonical(rules))["evaluation"] | weights
    return changes
