"""Every message that the house posts has words of its own, and those about care lead to the page that shows it."""

import ast
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from dps.contracts.statements.records import StatementState
from dps.kernel.keys import Keyring
from dps.kernel.outbox import Delivery, OutboxMessage
from dps.law.clocks import Clock
from web.sending.writing import WORDS, link, written

ROOT = Path(__file__).parents[3]
SITE = "https://care.example.org"
CONTRACT, CHANGE, REVIEW = "CON-7K3M-9QXR-4TDC", "VAR-7K3M-9QXR-4TDC", "OTC-7K3M-9QXR-4TDC"
NAMED_BY_A_STATE = {f"statement_{state}" for state in StatementState} | {"outcomes_agreed", "outcomes_contested"}


def kinds_posted() -> Iterator[str]:
    """What is given as the kind to whatever posts: a constant, one of two, or a name that held one before."""
    for path in sorted(path for room in ("dps", "bidding") for path in (ROOT / room).rglob("*.py")):
        functions = (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.FunctionDef))
        for function in functions:
            posts = [node for node in ast.walk(function) if isinstance(node, ast.Call) and _name(node.func) in _POSTS]
            given = [node for call in posts for node in (*call.args, *(word.value for word in call.keywords))]
            if posts:
                given += [node.value for node in ast.walk(function) if isinstance(node, ast.Assign) and _is_kind(node)]
            yield from (text for node in given for text in _constants(node))


_POSTS = ("post", "_post", "_tell", "tell", "tell_council", "tell_provider")


def _name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def _is_kind(node: ast.Assign) -> bool:
    return [_name(target) for target in node.targets] == ["kind"]


def _constants(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.IfExp):
        yield from _constants(node.body)
        yield from _constants(node.orelse)
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value


def a_message(kind: str, about: str, *, recipient: str, **facts: str) -> OutboxMessage:
    now = datetime(2019, 3, 4, 12, tzinfo=UTC)
    return OutboxMessage(
        ref="MSG-7K3M-9QXR-4TDC", recipient=recipient, kind=kind, about=about, facts=facts, posted_at=now,
        not_before=now, delivery=Delivery.QUEUED, attempts=0,
    )  # fmt: skip


def test_every_kind_that_is_posted_has_a_subject_and_a_sentence() -> None:
    posted = set(kinds_posted()) | NAMED_BY_A_STATE

    assert {"flex_told", "contract_handed_back", "suspension.imposed", "statement_made"} <= posted
    assert sorted(posted - set(WORDS)) == []
    assert all(subject and sentence for subject, sentence in WORDS.values())


@pytest.mark.parametrize(
    ("kind", "about", "recipient", "facts", "path"),
    [
        ("flex_to_sign", CHANGE, "authority:kent", {"contract": CONTRACT}, f"/desk/contracts/{CONTRACT}#{CHANGE}"),
        ("change_refused", CHANGE, "provider:x", {"contract": CONTRACT}, f"/portal/contracts/{CONTRACT}#{CHANGE}"),
        ("outcomes_contested", REVIEW, "authority:kent", {"contract": CONTRACT},
         f"/desk/contracts/{CONTRACT}/outcomes#{REVIEW}"),
        ("contract_handed_back", CONTRACT, "authority:kent", {}, f"/desk/contracts/{CONTRACT}"),
        ("statement_made", "PAY-7K3M-9QXR-4TDC", "provider:x", {}, "/portal/statements/PAY-7K3M-9QXR-4TDC"),
        ("statement_agreed", "PAY-7K3M-9QXR-4TDC", "authority:kent", {}, "/desk/statements/PAY-7K3M-9QXR-4TDC"),
        ("prices_raised", CHANGE, "provider:x", {}, "/portal/contracts"),
        ("score_published", "SCR-7K3M-9QXR-4TDC", "provider:x", {}, "/portal/quality"),
        ("law_due", "LET-7K3M-9QXR-4TDC", "authority:kent", {"clock": "tiers", "limit": "2019-05-01"},
         "/office/clocks"),
    ],
)  # fmt: skip
def test_a_message_about_care_leads_to_the_page_that_shows_it(
    kind: str, about: str, recipient: str, facts: dict[str, str], path: str, keyring: Keyring
) -> None:
    message = a_message(kind, about, recipient=recipient, **facts)

    assert link(message, site=SITE, keyring=keyring) == f"{SITE}{path}"
    assert f"{SITE}{path}" in written(message, site=SITE, keyring=keyring).text


@pytest.mark.parametrize(
    ("clock", "subject", "stands_still"),
    [
        (Clock.TERM, "A scheme's term ends", "nothing is published"),
        (Clock.REOPENING, "An open framework must be reopened", "nothing is published"),
        (Clock.TIERS, "A scheme's lists are to be published", "nothing is published"),
        (Clock.NOTICE, "A contract's notice is due", "no new rules are published"),
        (Clock.APPLICATION, "An application waits for its answer", "no new rules are published"),
    ],
)
def test_a_letter_about_a_clock_of_the_law_says_what_is_due_until_when_and_what_stands_still_then(
    clock: Clock, subject: str, stands_still: str, keyring: Keyring
) -> None:
    message = a_message("law_due", CONTRACT, recipient="authority:kent", clock=clock, limit="2019-05-01")

    letter = written(message, site=SITE, keyring=keyring)

    assert letter.subject == f"{subject}: {CONTRACT}"
    assert "The last day for it is Tue 30 April 2019" in letter.text
    assert stands_still in letter.text
