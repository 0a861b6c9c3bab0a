"""A provider's own blocks of hours: what the council pays for in a week, and what of it is still unused."""

from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.params import FromQuery

from dps.register.blocks import PAGE, block_hours
from web.pages.guards import PORTAL
from web.pages.portal.opportunities import frame
from web.pages.visit import Page, Visit


class OwnBlocks(Controller):
    """Hours that are paid, used or not."""

    path = "/portal/blocks"
    guards = (PORTAL,)

    @get("/", sync_to_thread=True)
    def seen(self, visit: NamedDependency[Visit], page: FromQuery[int] = 1) -> Page:
        """Those that run first; a hundred a page."""
        with visit.look() as (session, _now):
            found = block_hours(session, actor=visit.actor, page=page)
            return visit.page(
                "portal/blocks.html",
                blocks=found,
                page=max(page, 1),
                is_last=len(found) < PAGE,
                **frame(session, visit),
            )
