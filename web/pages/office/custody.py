"""Key-holders of the dearest bids: what is due, who has given a share, who is missing; taking shares, releasing them.

A custodian with an account of its own does this by itself; for one without, an administrator carries the files. The key
stays where it is: what is taken here is opened elsewhere (`dps custody release`) and brought back sealed to the worker.
"""

import json
from collections.abc import Mapping
from typing import Any

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from bidding.closings import ClosingState
from bidding.custody import (
    Custodian,
    custodian_named,
    every_custodian,
    hand_in_in,
    hand_out_in,
    register_custodian,
    withdraw_custodian,
)
from bidding.looking.held import HeldClosing, held_closing, held_closings
from dps.kernel.actors import Role
from dps.kernel.errors import BadInput, NotFound, RuleNotMet
from dps.schemes.model import Scheme
from web.pages.forms import Form, Values
from web.pages.guards import HOLDERS, KEEPERS
from web.pages.office.schemes import chosen_scheme
from web.pages.tried_files import sent
from web.pages.visit import Page, Visit
from web.security.accounts import holder_account


class Custody(Controller):
    """To a custodian the closings that it holds shares of; to an administrator its council's, and the register."""

    path = "/custody"

    @get("/", guards=[HOLDERS], sync_to_thread=True)
    def seen(self, visit: NamedDependency[Visit]) -> Page:
        """What waits, what is to come, and who holds keys."""
        return _list(visit, {}, {})

    @post("/custodians", guards=[KEEPERS], sync_to_thread=True)
    def register(self, visit: NamedDependency[Visit], form: NamedDependency[Form]) -> Response[Any]:
        """Name a key-holder: closings published from now on deal it a share."""
        try:
            with visit.command() as session:
                scheme = chosen_scheme(session, visit, form.needed("scheme", "choose the rules"))
                email = form.text("email")
                register_custodian(
                    session,
                    visit.ports,
                    scheme=scheme,
                    holder=form.needed("holder", "say who holds the key: a post, such as monitoring officer"),
                    recipient=form.needed("recipient", "paste the public part of the key"),
                    account=holder_account(session, email).ref if email else None,
                    actor=visit.actor,
                )
        except BadInput as bad:
            return _list(visit, form.fields, {str(bad.field): str(bad.reason)})
        return visit.to("/custody")

    @post("/custodians/{custodian_ref:str}/withdrawal", guards=[KEEPERS], sync_to_thread=True)
    def withdraw(
        self, custodian_ref: FromPath[str], visit: NamedDependency[Visit], form: NamedDependency[Form]
    ) -> Response[Any]:
        """Deal it no more shares; bids sealed before keep theirs."""
        try:
            with visit.command() as session:
                scheme = chosen_scheme(session, visit, custodian_named(session, custodian_ref).scheme)
                withdraw_custodian(session, visit.ports, custodian_ref=custodian_ref, scheme=scheme, actor=visit.actor)
        except RuleNotMet as refused:
            return _list(visit, {}, {"holder": str(refused.reason)})
        return visit.to("/custody")

    @get("/{closing_ref:str}", guards=[HOLDERS], sync_to_thread=True)
    def one(self, closing_ref: FromPath[str], visit: NamedDependency[Visit]) -> Page:
        """Who has given a share, who is missing, and what to do now."""
        return _one(visit, closing_ref, "")

    @post("/{closing_ref:str}/hand-out", guards=[HOLDERS], sync_to_thread=True, status_code=200)
    def hand_out(
        self, closing_ref: FromPath[str], visit: NamedDependency[Visit], form: NamedDependency[Form]
    ) -> Response[Any]:
        """A custodian's shares as a file, which its own key alone opens."""
        custodian = _carried(visit, closing_ref, form.text("custodian"))
        given = hand_out_in(
            visit.installation.database,
            visit.ports,
            closing_ref=closing_ref,
            custodian_ref=custodian,
            actor=visit.actor,
        )
        headers = {"Content-Disposition": f'attachment; filename="{closing_ref}-{custodian}.json"'}
        content = json.dumps(given, indent=1, sort_keys=True).encode()
        return Response(content, media_type="application/json", headers=headers)

    @post("/{closing_ref:str}/release", guards=[HOLDERS], sync_to_thread=True)
    def release(
        self, closing_ref: FromPath[str], visit: NamedDependency[Visit], form: NamedDependency[Form]
    ) -> Response[Any]:
        """Keep what was released; the worker opens the closing once enough have."""
        with visit.look() as (session, _now):
            held_closing(session, visit.actor, closing_ref)
        try:
            released = _read(sent(form, larger="bring the file that `dps custody release` wrote"))
            if released.get("closing") != closing_ref:
                raise BadInput("this is a release of another closing", field="file")
            hand_in_in(visit.installation.database, visit.ports, release=released, actor=visit.actor)
        except BadInput as bad:
            return _one(visit, closing_ref, str(bad.reason))
        return visit.to(f"/custody/{closing_ref}")


def _carried(visit: Visit, closing_ref: str, custodian: str) -> str:
    """The custodian whose shares this reader may carry; NotFound for any other."""
    with visit.look() as (session, _now):
        found = held_closing(session, visit.actor, closing_ref)
    if not any(one.custodian == custodian and one.is_own for one in found.holders):
        raise NotFound(kind="custodian", ref=custodian)
    return custodian


def _read(content: bytes) -> dict[str, Any]:
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise BadInput("this is no release: bring the file that `dps custody release` wrote", field="file")
    return found


def _is_due(one: HeldClosing) -> bool:
    return one.state is ClosingState.CLOSED


def _one(visit: Visit, closing_ref: str, fault: str) -> Page:
    with visit.look() as (session, _now):
        found = held_closing(session, visit.actor, closing_ref)
        return visit.page("office/held.html", status=400 if fault else 200, found=found, fault=fault)


def _list(visit: Visit, values: Mapping[str, str], faults: Mapping[str, str]) -> Page:
    with visit.look() as (session, _now):
        is_keeper = visit.actor.role is Role.ADMINISTRATOR
        schemes = [one for one in visit.schemes(session) if one.custody is not None] if is_keeper else []
        held = held_closings(session, visit.actor)
        custodians: list[tuple[Scheme, list[Custodian]]] = [
            (scheme, list(every_custodian(session, scheme.key))) for scheme in schemes
        ]
        return visit.page(
            "office/custody.html",
            status=400 if faults else 200,
            due=[one for one in held if _is_due(one)],
            coming=[one for one in held if not _is_due(one)],
            custodians=custodians,
            schemes=[(one.key, one.name) for one in schemes],
            is_keeper=is_keeper,
            values=Values({"scheme": schemes[0].key if len(schemes) == 1 else "", **values}),
            faults=faults,
        )
