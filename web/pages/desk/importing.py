"""A file of referrals: tried first, every fault with its row and column, then written; and many published at once."""

from litestar import Controller, get, post
from litestar.di import NamedDependency

from bidding.publishing import make_ready, publish
from bidding.referrals import ReferralState, referral_of
from dps.kernel.errors import BadInput, DpsError, NotReady
from dps.schemes.model import Urgency
from dps.schemes.published import standing_scheme
from web.pages import names
from web.pages.forms import Form
from web.pages.guards import BROKERS
from web.pages.tried_files import on_disk, reopened, sealed, sent
from web.pages.visit import Page, Visit
from web.referrals_entry import Entered, entered, read
from web.referrals_file import COLUMNS, REQUIRED

_FILE = "referrals"
_LARGER = "part it, or use dps import referrals"

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
            content = reopened(visit, form, of=_FILE) if is_written else sent(form, larger=_LARGER)
            done = _entered(visit, form, content, is_tried=not is_written)
        except BadInput as bad:
            return _page(visit, fault=str(bad.reason))
        kept = "" if is_written or done.faults else sealed(visit, content, of=_FILE)
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


def _entered(visit: Visit, form: Form, content: bytes, *, is_tried: bool) -> Entered:
    with visit.look() as (session, _now):
        schemes = visit.schemes(session)
        scheme = next((one for one in schemes if one.key == form.text("scheme")), schemes[0] if schemes else None)
        if scheme is None:
            raise BadInput("no rules are published yet: a commissioner publishes them", field="scheme")
        with on_disk(content, of=_FILE) as path:
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
        schemes = visit.schemes(session)
        return visit.page(
            "desk/import.html",
            status=400 if fault or (done and done.faults) else 200,
            chosen=scheme,
            done=done,
            kept=kept,
            is_written=is_written,
            fault=fault,
            schemes=[(one.key, one.name) for one in schemes],
            lots=names.lots(schemes).items(),
            urgencies=[str(one) for one in Urgency],
            columns=COLUMNS,
            required=REQUIRED,
        )
