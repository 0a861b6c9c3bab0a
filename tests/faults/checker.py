"""Was anything lost, doubled or early? Decided from a history and the rows alone.

This file imports nothing of the application: it reads the tables with the databases' own drivers and knows their names
and what they must add up to, so that a mistake of the engine is not made here a second time.
"""

import json
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import dict_row

from tests.faults.history import DONE, Operation

Row = dict[str, Any]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TABLES = (
    "bid", "bid_round", "closing", "round", "referral", "award", "contract", "capacity_ledger", "capacity_hold",
    "outbox_message", "opened_bid", "scored_bid", "allocation_run", "audit_event", "invitation", "letter",
)  # fmt: skip
_TIMES = ("_at", "_by", "_until", "not_before", "at")
_BORN = {
    "award": {"proposed"},
    "bid": {"sealed"},
    "closing": {"gathering"},
    "invitation": {"invited", "waiting"},
    "referral": {"draft"},
    "round": {"planned"},
}
_LIVE = ("proposed", "offered", "accepted", "confirmed")
_ONCE = {"invitation", "award_offered", "award_won", "debrief_ready"}
"""Messages that are said once about one thing to one recipient."""


@dataclass
class Evidence:
    """All rows of the tables that count, what a postman carried, by message, and a mail server took over, by letter.

    `mailed` is None where nobody was written to.
    """

    tables: dict[str, list[Row]]
    carried: Counter[str] = field(default_factory=Counter)
    mailed: Counter[str] | None = None

    def __getitem__(self, table: str) -> list[Row]:
        return self.tables[table]

    def by_id(self, table: str) -> dict[int, Row]:
        return {row["id"]: row for row in self[table]}


def gathered(database: str | Path, carried: Sequence[str] = (), mailed: Sequence[str] | None = None) -> Evidence:
    """Read everything: `database` is an SQLite file or a libpq address."""
    if isinstance(database, Path):
        with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as lite:
            lite.row_factory = sqlite3.Row
            tables = {name: [dict(row) for row in lite.execute(f"SELECT * FROM {name}")] for name in _TABLES}
        lite.close()
    else:
        with psycopg.connect(database, row_factory=dict_row) as server:
            tables = {name: server.execute(f"SELECT * FROM {name}").fetchall() for name in _TABLES}
    for rows in tables.values():
        for row in rows:
            row.update({name: _instant(value) for name, value in row.items() if name.endswith(_TIMES)})
    return Evidence(tables, Counter(carried), None if mailed is None else Counter(mailed))


def _instant(value: Any) -> Any:
    """SQLite keeps whole microseconds since 1970."""
    if isinstance(value, int):
        return _EPOCH + timedelta(microseconds=value)
    return value.astimezone(UTC) if isinstance(value, datetime) else value


def _json(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value


def faults(
    evidence: Evidence, history: Sequence[Operation], *, least_window: timedelta, now: datetime, crashes: int = 0
) -> list[str]:
    """Everything that is wrong, in words; nothing where all is well.

    By `now` the last sweep is over. A message may be carried once, and once more for each of so many `crashes`.
    """
    return [
        *_lost(evidence, history),
        *_forgotten(evidence, now),
        *_doubled(evidence),
        *_early(evidence, least_window),
        *_oversold(evidence),
        *_untold(evidence),
        *_misdelivered(evidence, crashes),
        *_unread(evidence, crashes),
    ]


def _lost(evidence: Evidence, history: Sequence[Operation]) -> Iterator[str]:
    """What was acknowledged and is not there, or is there otherwise."""
    bids = {row["ref"]: row for row in evidence["bid"]}
    awards = {row["ref"]: row for row in evidence["award"]}
    contracts = {row["ref"]: row for row in evidence["contract"]}
    referrals = {row["ref"]: row for row in evidence["referral"]}
    answers: defaultdict[str, set[str]] = defaultdict(set)
    for one in history:
        if one.outcome != DONE:
            continue
        match one.op:
            case "bid":
                kept = bids.get(one.answer["bid"])
                if kept is None:
                    yield f"lost: {one.answer['bid']} was acknowledged and is not there"
                elif kept["ciphertext_sha256"] != one.answer["ciphertext_sha256"]:
                    yield f"lost: {kept['ref']} is not what was acknowledged"
                answers[one.args["key"]].add(one.answer["bid"])
            case "publish" if referrals.get(one.args["referral"], {}).get("published_at") is None:
                yield f"lost: {one.args['referral']} was published and is not"
            case "accept" if (award := awards[one.args["award"]])["accepted_at"] is None:
                yield f"lost: {award['ref']} was accepted and is {award['state']}"
            case "decline" if (award := awards[one.args["award"]])["state"] != "declined":
                yield f"lost: {award['ref']} was declined and is {award['state']}"
            case "confirm" if contracts.get(one.answer, {}).get("award_ref") != one.args["award"]:
                yield f"lost: {one.args['award']} was confirmed and {one.answer} is not there"
    yield from (f"doubled: one key got {sorted(refs)}" for refs in answers.values() if len(refs) > 1)


def _forgotten(evidence: Evidence, now: datetime) -> Iterator[str]:
    """What is due and was not done, and whoever waits for nobody."""
    for row in evidence["closing"]:
        if row["closes_at"] <= now and row["state"] != "allocated":
            yield f"lost: {row['ref']} was due and is {row['state']}"
    for row in evidence["allocation_run"]:
        if row["finished_at"] is None:
            yield f"lost: {row['ref']} was never finished"
    live = {row["referral_id"] for row in evidence["award"] if row["state"] in _LIVE and row["ended_at"] is None}
    uncounted = {row["closing_id"] for row in evidence["allocation_run"] if not row["counted"]}
    latest: dict[int, Row] = {}
    for row in sorted(evidence["round"], key=lambda row: row["id"]):
        latest[row["referral_id"]] = row
    for row in evidence["referral"]:
        round_ = latest.get(row["id"])
        if row["state"] == "seeking" and round_ is not None:
            is_asked = round_["state"] == "published" and round_["mode"] not in ("ranked_offer", "direct_award")
            if not (is_asked or row["id"] in live or round_["closing_id"] in uncounted):
                yield f"lost: {row['ref']} seeks, and nobody is asked"
    contracted = {row["award_ref"] for row in evidence["contract"]}
    confirmed = {row["ref"] for row in evidence["award"] if row["state"] == "confirmed"}
    yield from (f"lost: the contract of {ref}" for ref in sorted(confirmed - contracted))
    yield from (f"early: {ref} has a contract and was not confirmed" for ref in sorted(contracted - confirmed))


def _doubled(evidence: Evidence) -> Iterator[str]:
    """What was done twice."""
    steps = Counter(
        (row["stream"], row["kind"])
        for row in evidence["audit_event"]
        if row["kind"] in ("closing.close", "closing.open", "closing.score", "closing.allocate", "allocation.claimed")
    )
    yield from (f"doubled: {kind} of {stream}" for (stream, kind), times in steps.items() if times > 1)
    alive = [row for row in evidence["award"] if row["state"] in _LIVE and row["ended_at"] is None]
    unique: dict[str, list[Any]] = {
        "run of closing": [row["closing_id"] for row in evidence["allocation_run"]],
        "opening of bid": [row["bid_id"] for row in evidence["opened_bid"]],
        "score": [(row["bid_id"], row["round_id"]) for row in evidence["scored_bid"]],
        "award alive of referral": [row["referral_id"] for row in alive],
        "award of one provider in round": [(row["round_id"], row["provider"]) for row in evidence["award"]],
        "contract of award": [row["award_ref"] for row in evidence["contract"]],
        "contract of package": [row["package_id"] for row in evidence["contract"] if row["last_day"] is None],
        "invitation": [(row["round_id"], row["provider"]) for row in evidence["invitation"]],
        "successor of round": [row["predecessor_id"] for row in evidence["round"] if row["predecessor_id"]],
        "bid alive": [(row["provider"], row["rounds_key"]) for row in evidence["bid"] if row["state"] == "sealed"],
        "message": [
            (row["recipient"], row["kind"], row["about"], str(row["facts"]))
            for row in evidence["outbox_message"]
            if row["kind"] in _ONCE
        ],
    }
    for what, keys in unique.items():
        yield from (f"doubled: {what} {key}" for key, times in Counter(keys).items() if times > 1)


def _early(evidence: Evidence, least_window: timedelta) -> Iterator[str]:
    """What was let in late, opened early, or given less time than was published."""
    closings = evidence.by_id("closing")
    bids = evidence.by_id("bid")
    for row in evidence["bid"]:
        if row["received_at"] >= closings[row["closing_id"]]["closes_at"]:
            yield f"early: {row['ref']} came in at {row['received_at']}, after the end"
    for row in evidence["opened_bid"]:
        bid = bids.get(row["bid_id"])
        if bid is None or row["opened_at"] < closings[bid["closing_id"]]["closes_at"]:
            yield f"early: bid {row['bid_id']} was opened before the end"
    for row in evidence["closing"]:
        if row["closed_at"] is not None and row["closed_at"] < row["closes_at"]:
            yield f"early: {row['ref']} was closed before its end"
    for row in evidence["round"]:
        if row["closes_at"] is not None and row["closes_at"] - row["opens_at"] < least_window:
            yield f"early: {row['ref']} was open for {row['closes_at'] - row['opens_at']} only"
    yield from _proposed_early(evidence)


def _proposed_early(evidence: Evidence) -> Iterator[str]:
    """Awards before their closing's end, by the clock; of each, by the trail's own order too.

    By that alone of a reserve: somebody said no, and may have done so while the clock stood back again.
    """
    closings = evidence.by_id("closing")
    said: dict[tuple[str, str], int] = {}
    for row in evidence["audit_event"]:
        said.setdefault((row["stream"], row["kind"]), row["id"])
    of_round = {row["id"]: closings[row["closing_id"]] for row in evidence["round"] if row["closing_id"]}
    for row in evidence["award"]:
        closing = of_round.get(row["round_id"])
        if closing is None:
            continue
        closed, proposed = said.get((closing["ref"], "closing.close")), said.get((row["ref"], "award.proposed"))
        if row["source"] != "reserve" and row["proposed_at"] < closing["closes_at"]:
            yield f"early: {row['ref']} was proposed before the end"
        if proposed is not None and (closed is None or proposed < closed):
            yield f"early: {row['ref']} was proposed before its closing was closed"


def _oversold(evidence: Evidence) -> Iterator[str]:
    """Ledgers that do not say what is held, or hold more than there is."""
    held: Counter[tuple[Any, ...]] = Counter()
    for row in evidence["capacity_hold"]:
        for place in {"", row["locality"]}:
            held[row["provider_id"], row["authority"], place, row["state"]] += row["weekly_minutes"]
    for row in evidence["capacity_ledger"]:
        key = (row["provider_id"], row["authority"], row["locality"])
        if row["reserved_minutes"] + row["committed_minutes"] > row["ceiling_minutes"]:
            yield f"oversold: {key}"
        if (row["reserved_minutes"], row["committed_minutes"]) != (held[*key, "reserved"], held[*key, "committed"]):
            yield f"oversold: {key} does not say what is held"
    promised = {row["ref"] for row in evidence["award"] if row["state"] in ("offered", "accepted")}
    reserved = {row["ref"] for row in evidence["capacity_hold"] if row["state"] == "reserved"}
    yield from (f"oversold: hours of {ref} are not as its award is" for ref in sorted(promised ^ reserved))


def _untold(evidence: Evidence) -> Iterator[str]:
    """Rows that are not where the trail has led them: a state, its event and its message stand or fall together."""
    led: dict[tuple[str, str], str] = {}
    for row in sorted(evidence["audit_event"], key=lambda row: row["id"]):
        body = _json(row["body"])
        if {"ref", "from", "to"} <= body.keys():
            kind = row["kind"].partition(".")[0].replace(" ", "_")
            before = led.get((kind, body["ref"]))
            if body["from"] not in (_BORN.get(kind, {body["from"]}) if before is None else {before}):
                yield f"lost: a step of {body['ref']} before {row['kind']}"
            led[kind, body["ref"]] = body["to"]
    for kind in _BORN:
        for row in evidence[kind]:
            if led.get((kind, row["ref"]), row["state"]) != row["state"]:
                yield f"lost: {row['ref']} is {row['state']}, the trail says {led[kind, row['ref']]}"
    begun = {row["stream"] for row in evidence["audit_event"]}
    told = (row for kind in ("closing", "round", "award") for row in evidence[kind])
    yield from (f"lost: nothing on the trail of {row['ref']}" for row in told if row["ref"] not in begun)


def _misdelivered(evidence: Evidence, crashes: int) -> Iterator[str]:
    """Messages that nobody got, that nobody wrote, or that came too often; people who were asked and not told."""
    messages = {row["ref"]: row for row in evidence["outbox_message"]}
    for ref, row in messages.items():
        if row["delivery"] != "sent" or not evidence.carried[ref]:
            yield f"lost: message {ref} is {row['delivery']}, carried {evidence.carried[ref]} times"
    yield from (f"early: {ref} was carried and never said" for ref in evidence.carried.keys() - messages.keys())
    again = sum(times - 1 for times in evidence.carried.values())
    if again > crashes * 50:
        yield f"doubled: {again} messages were carried again after {crashes} crashes"
    if any(times > crashes + 1 for times in evidence.carried.values()):
        yield f"doubled: one message was carried {max(evidence.carried.values())} times"
    told = {(row["recipient"], row["kind"], row["about"]) for row in messages.values()}
    unfilled = Counter(row["about"] for row in messages.values() if row["kind"] == "referral_unfilled")
    ladders = Counter(row["stream"] for row in evidence["audit_event"] if row["kind"] == "referral.exhaust")
    # A ladder that is asked again ends again.
    yield from (
        f"doubled or lost: that {ref} is unfilled" for ref in sorted((unfilled - ladders) | (ladders - unfilled))
    )
    rounds = evidence.by_id("round")
    for row in evidence["invitation"]:
        round_ = rounds.get(row["round_id"])
        who = f"provider:{row['provider']}"
        if round_ is None or (round_["mode"] != "ranked_offer" and (who, "invitation", round_["ref"]) not in told):
            yield f"lost: {row['ref']} was never told"
    for row in evidence["award"]:
        kinds = {kind for who, kind, about in told if about == row["ref"] and who == f"provider:{row['provider']}"}
        if row["offered_at"] is not None and not kinds & {"award_offered", "award_won"}:
            yield f"lost: {row['ref']} was offered and its provider not told"


def _unread(evidence: Evidence, crashes: int) -> Iterator[str]:
    """Letters that no mail server took over, that nobody wrote, or that came too often; messages without a letter."""
    mailed = evidence.mailed
    if mailed is None:
        return
    letters = {row["ref"]: row for row in evidence["letter"] if row["channel"] == "mail"}
    for ref, row in letters.items():
        # Who has no account is told by the feed alone; that letter has no reader and is given up at once.
        if row["account_id"] is not None and (row["delivery"] != "sent" or not mailed[ref]):
            yield f"lost: letter {ref} is {row['delivery']}, taken over {mailed[ref]} times"
    yield from (f"early: letter {ref} was sent and never written" for ref in sorted(mailed.keys() - letters.keys()))
    yield from (f"doubled: letter {ref} came {times} times" for ref, times in mailed.items() if times > crashes + 1)
    sorted_ = {row["message_id"] for row in evidence["letter"]}
    for row in evidence["outbox_message"]:
        if row["delivery"] == "sent" and row["id"] not in sorted_:
            yield f"lost: {row['ref']} left, and nobody is written to"
