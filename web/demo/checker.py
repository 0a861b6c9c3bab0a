"""Judges a played council from its database alone, and shares no code with what it judges.

It reads plain SQL, recomputes what must hold, and counts what does not: capacity sold twice, bids opened early, bids
stored late, two live awards for one package, broken hash chains.
"""

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, text

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the checker counted; everything but the trail should be nought."""

    capacity_violations: int
    early_openings: int
    late_bids_stored: int
    double_awards: int
    barred_awards: int
    audit_ok: bool

    @property
    def ok(self) -> bool:
        faults = (
            self.capacity_violations,
            self.early_openings,
            self.late_bids_stored,
            self.double_awards,
            self.barred_awards,
        )
        return self.audit_ok and not any(faults)


def check(connection: Connection) -> Verdict:
    """Read everything once and judge it."""
    closes = _closing_times(connection)
    return Verdict(
        capacity_violations=_capacity(connection),
        early_openings=_early(connection, closes),
        late_bids_stored=_late(connection, closes),
        double_awards=_double(connection),
        barred_awards=_barred(connection),
        audit_ok=_chains_hold(connection),
    )


def _rows(connection: Connection, sql: str) -> list[Any]:
    return list(connection.execute(text(sql)))


def _instant(value: Any) -> datetime:
    if isinstance(value, int):
        return _EPOCH + timedelta(microseconds=value)
    if isinstance(value, str):
        return datetime.fromisoformat(value)
    found: datetime = value
    return found.astimezone(UTC)


def _closing_times(connection: Connection) -> dict[int, datetime]:
    return {id_: _instant(at) for id_, at in _rows(connection, "SELECT id, closes_at FROM closing")}


def _capacity(connection: Connection) -> int:
    """Hours of live awards against what providers declared, summed here from awards and declarations alone."""
    declared: dict[tuple[int, str, str], int] = {}
    for provider, authority, locality, minutes in _rows(
        connection,
        "SELECT provider_id, authority, locality, minutes FROM capacity_declaration ORDER BY id",
    ):
        declared[provider, authority, locality] = minutes
    sold: dict[tuple[int, str, str], int] = {}
    for provider, authority, locality, minutes in _rows(
        connection,
        "SELECT p.id, a.authority, a.locality, a.weekly_minutes FROM award a JOIN provider p ON p.ref = a.provider"
        " WHERE a.state IN ('offered', 'accepted', 'confirmed') AND a.ended_at IS NULL"
        " AND NOT EXISTS (SELECT 1 FROM capacity_hold h WHERE h.ref = a.ref AND h.out_of IS NOT NULL)",
    ):
        for place in ("", locality):
            key = provider, authority, place
            sold[key] = sold.get(key, 0) + minutes
    over = sum(1 for key, minutes in sold.items() if key in declared and minutes > declared[key])
    ledger = _rows(
        connection,
        "SELECT count(*) FROM capacity_ledger WHERE reserved_minutes + committed_minutes > ceiling_minutes",
    )
    blocks = _rows(
        connection,
        "SELECT count(*) FROM block_contract b WHERE b.weekly_minutes < (SELECT COALESCE(SUM(a.weekly_minutes), 0)"
        " FROM award a JOIN capacity_hold h ON h.ref = a.ref WHERE h.out_of = b.ref AND h.state <> 'released')",
    )
    return over + int(ledger[0][0]) + int(blocks[0][0])


def _early(connection: Connection, closes: dict[int, datetime]) -> int:
    opened = _rows(connection, "SELECT b.closing_id, o.opened_at FROM opened_bid o JOIN bid b ON b.id = o.bid_id")
    return sum(1 for closing, at in opened if _instant(at) < closes[closing])


def _late(connection: Connection, closes: dict[int, datetime]) -> int:
    stored = _rows(connection, "SELECT closing_id, received_at FROM bid")
    return sum(1 for closing, at in stored if _instant(at) >= closes[closing])


def _double(connection: Connection) -> int:
    rows = _rows(
        connection,
        "SELECT referral_id FROM award WHERE state IN ('proposed', 'offered', 'accepted', 'confirmed')"
        " AND ended_at IS NULL GROUP BY referral_id HAVING count(*) > 1",
    )
    contracts = _rows(
        connection,
        "SELECT package_id FROM contract WHERE state IN ('pending', 'active', 'suspended')"
        " GROUP BY package_id HAVING count(*) > 1",
    )
    return len(rows) + len(contracts)


def _barred(connection: Connection) -> int:
    """Awards offered to a provider that held no membership of the scheme, or only removed ones, at that moment."""
    members: dict[tuple[str, str], list[tuple[datetime, datetime | None]]] = {}
    for provider, scheme, admitted, removed in _rows(
        connection, "SELECT provider_ref, scheme, admitted_at, removed_at FROM membership"
    ):
        span = _instant(admitted), _instant(removed) if removed is not None else None
        members.setdefault((provider, scheme), []).append(span)
    return sum(
        1
        for provider, scheme, offered in _rows(
            connection, "SELECT provider, scheme, offered_at FROM award WHERE offered_at IS NOT NULL"
        )
        if not any(
            since <= _instant(offered) and (until is None or _instant(offered) < until)
            for since, until in members.get((provider, scheme), [])
        )
    )


def _chains_hold(connection: Connection) -> bool:
    """Every stream's hashes recomputed from the stored columns, in order, up to its head."""
    ends: dict[str, tuple[int, str]] = {}
    for stream, seq, at, actor, role, kind, body, previous, digest in _rows(
        connection,
        "SELECT stream, seq, at, actor, role, kind, body, previous_hash, hash FROM audit_event ORDER BY seq",
    ):
        last, before = ends.get(stream, (0, "0" * 64))
        line = [
            stream,
            seq,
            _instant(at).isoformat(timespec="microseconds"),
            actor,
            role,
            kind,
            json.loads(body),
            previous,
        ]
        canonical = json.dumps(line, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        if seq != last + 1 or previous != before or hashlib.sha256(canonical.encode()).hexdigest() != digest:
            return False
        ends[stream] = seq, digest
    heads = {
        stream: (seq, digest) for stream, seq, digest in _rows(connection, "SELECT stream, seq, hash FROM audit_head")
    }
    return heads == ends
