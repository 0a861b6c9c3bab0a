"""A file of referrals: tried first, every fault with its row and column, then written; and many published at once.

Between the trial and the writing the file travels in the page itself, sealed under the application key for this very
person: what is written is what was tried, and nothing of it lies on a disk meanwhile.
"""

import base64
import tempfile
from pathlib import Path

from litestar import Controller, get, post
from litestar.di import NamedDependency

from bidding.publishing import make_ready, publish
from bidding.referrals import ReferralState, referral_of
from dps.kernel.errors import BadInput, Corrupted, DpsError, NotReady
from dps.schemes.published import standing_scheme
from web.pages.forms import Form
from web.pages.guards import BROKERS
from web.pages.visit import Page, Visit
from web.referrals_entry import Entered, entered, read
from web.referrals_file import COLUMNS, REQUIRED

LARGEST_BYTES = 2 * 1024 * 1024
"""More than a form carries to and fro; larger files are for the command line."""

_ZIP = b"PK"
"""How an XLSX file begins; anything else is read as CSV."""

MOST_PUBLISHED = 100
"""As many as one page of the queue shows."""


class Importing(Controller):
    """Files of referrals, and publishing many."""

    path = "/desk"
    guards = (BROKERS,)

    @get("/import", sync_to_thread=True)
    def form(self, visit: NamedDependency[Visit]) -> Page:
        """Which file?"""
        return _page(visit)

    @post("/import", sync_to_thread=True, status_code=200)
    def take(self, visit: NamedDependency[Visit], form: NamedDependency[Form]) -> Page:
        """Try a new file, or write the one that was tried."""
        is_written = bool(form.text("write"))
        try:
            content = _reopened(visit, form) if is_written else _sent(form)
            done = _entered(visit, form, content, is_tried=not is_written)
        except BadInput as bad:
            return _page(visit, fault=str(bad.reason))
        kept = "" if is_written or done.faults else _sealed(visit, content)
        return _page(visit, done=done, scheme=form.text("scheme"), kept=kept, is_written=is_written and not done.faults)

    @post("/publications", sync_to_thread=True, status_code=200)
    def publish_many(self, visit: NamedDependency[Visit], form: NamedDependency[Form]) -> Page:
        """Publish each that was chosen by itself: what is not ready stays a draft and says what it lacks."""
        published, unready = [], {}
        for ref in sorted(form.under("publish-"))[:MOST_PUBLISHED]:
            try:
                with visit.command() as session:
                    referral = referral_of(session, ref, visit.actor)
                    scheme = standing_scheme(session, referral.scheme)
                    if referral.state is ReferralState.DRAFT:
                        make_ready(session, visit.ports, referral_ref=ref, scheme=scheme, actor=visit.actor)
                    publish(session, visit.ports, referral_ref=ref, scheme=scheme, actor=visit.actor)
                published.append(ref)
            except NotReady as lacking:
                unready[ref] = [str(one) for one in lacking.missing]
            except DpsError as refused:
                unready[ref] = [str(refused)]
        return visit.page("desk/published.html", published=published, unready=unready)


def _sent(form: Form) -> bytes:
    content = form.file("file")
    if not content:
        raise BadInput("choose a file", field="file")
    if len(content) > LARGEST_BYTES:
        raise BadInput(
            f"the file is larger than {LARGEST_BYTES // 1024**2} MB: part it, or use dps import referrals", field="file"
        )
    return content


def _sealed(visit: Visit, content: bytes) -> str:
    return base64.b64encode(visit.ports.keyring.application.seal(content, about=_about(visit))).decode()


def _reopened(visit: Visit, form: Form) -> bytes:
    try:
        # Not `text`, which cuts what is long.
        sealed = base64.b64decode(form.fields.get("kept", ""), validate=True)
        return visit.ports.keyring.application.open(sealed, about=_about(visit))
    except (ValueError, Corrupted):
        raise BadInput("this is not the file that was tried: choose it again", field="file") from None


def _about(visit: Visit) -> str:
    return f"a file of referrals tried by {visit.actor.ref}"


def _entered(visit: Visit, form: Form, content: bytes, *, is_tried: bool) -> Entered:
    with visit.look() as (session, _now):
        schemes = visit.schemes(session)
        scheme = next((one for one in schemes if one.key == form.text("scheme")), schemes[0] if schemes else None)
        if scheme is None:
            raise BadInput("no rules are published yet: a commissioner publishes them", field="scheme")
        with tempfile.TemporaryDirectory() as folder:
            # The readers of spreadsheets take a path; the file is gone before anything is answered.
            path = Path(folder) / f"referrals{'.xlsx' if content.startswith(_ZIP) else '.csv'}"
            path.write_bytes(content)
            found = read(session, visit.ports, path, scheme, visit.actor)
    if found.faults:
        return Entered(faults=list(found.faults))
    return entered(visit.installation, found, scheme, visit.actor, "the file", is_tried=is_tried)


def _page(
    visit: Visit,
    *,
    done: Entered | None = None,
    kept: str = "",
    is_written: bool = False,
    fault: str = "",
    scheme: str = "",
) -> Page:
    with visit.look() as (session, _now):
        return visit.page(
            "desk/import.html",
            status=400 if fault or (done and done.faults) else 200,
            chosen=scheme,
            done=done,
            kept=kept,
            is_written=is_written,
            fault=fault,
            schemes=[(one.key, one.name) for one in visit.schemes(session)],
            columns=COLUMNS,
            required=REQUIRED,
        )
