"""A broker writes a referral down, and says that its words name nobody."""

from litestar import post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect

from bidding import drafting
from web.pages.forms import Form
from web.pages.guards import BROKERS
from web.pages.visit import Visit
from web.pages.writing.beginning import Beginning
from web.pages.writing.doors import BROKERS_DOORS
from web.pages.writing.entry import Entry


class DeskBeginning(Beginning):
    """A broker's new referral."""

    path = "/desk/new"
    guards = (BROKERS,)
    doors = BROKERS_DOORS


class DeskEntry(Entry):
    """A referral's pages for brokers, before and after its publication."""

    path = "/desk/referrals/{referral_ref:str}"
    guards = (BROKERS,)
    doors = BROKERS_DOORS

    @post("/entry-words", sync_to_thread=True)
    def confirm(
        self, referral_ref: FromPath[str], visit: NamedDependency[Visit], form: NamedDependency[Form]
    ) -> Redirect:
        """The words name nobody: they may be published."""
        with visit.command() as session:
            drafting.confirm_words(
                session, visit.ports, referral_ref=referral_ref, edition=form.text("edition"), actor=visit.actor
            )
        return visit.to(f"/desk/referrals/{referral_ref}/publication")
