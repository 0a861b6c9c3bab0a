"""Where the pages of a referral stand for whoever writes it: their addresses, and the page that checks it."""

from dataclasses import dataclass

from bidding.drafting import UNPUBLISHED
from bidding.looking.drafted import Drafted


@dataclass(frozen=True, slots=True)
class Doors:
    """One part's addresses. `known` says what to do about somebody who is written down already."""

    home: str
    home_said: str
    new: str
    referrals: str
    check: str
    known: str

    def of(self, referral_ref: str) -> str:
        """The referral's own page."""
        return f"{self.referrals}/{referral_ref}"

    def section(self, referral_ref: str, section: str) -> str:
        """One page of the referral."""
        return f"{self.of(referral_ref)}/entry/{section}"

    def after(self, draft: Drafted) -> str:
        """Where a page that was saved leads back to: the check, until it is published."""
        path = self.of(draft.referral)
        return f"{path}/{self.check}" if draft.state in UNPUBLISHED else path


BROKERS_DOORS = Doors(
    home="/desk",
    home_said="Work queue",
    new="/desk/new",
    referrals="/desk/referrals",
    check="publication",
    known="somebody with this NHS number is known already",
)
REQUESTERS_DOORS = Doors(
    home="/requests",
    home_said="Your people",
    new="/requests/new",
    referrals="/requests",
    check="check",
    known="somebody with this NHS number is known already: ask the brokers to write this one down and to name you as "
    "who asked for it",
)
