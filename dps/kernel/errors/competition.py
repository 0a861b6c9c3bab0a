"""Publishing, bidding, deciding: too late, not valid, not eligible, taken."""

from dps.kernel.errors.families import Conflict, Refused


class TooLate(Refused):
    """The authority's clock, read after the locks, was at or past the end."""

    code = "too_late"
    sentence = "This closed at {closes_at:%H:%M:%S} UTC on {closes_at:%-d %B %Y}; it is {now:%H:%M:%S} UTC."


class LostByUs(TooLate):
    """The bid was here in time and was not stored before the end: the engine's own fault, which is written down."""

    code = "lost_by_us"
    sentence = (
        "This bid was here in time, at {received_at:%H:%M:%S} UTC, and was not stored before the closing. The loss is "
        "ours and is written down as ours; the council is told, and can ask everybody again."
    )


class InvalidBid(Refused):
    """The bid breaks published rules; `problems` says each in words."""

    code = "invalid_bid"

    def _words(self) -> str:
        return " ".join(self.facts["problems"])


class NotEligible(Refused):
    """The provider may not take part; `reasons` says why in the provider's words."""

    code = "not_eligible"

    def _words(self) -> str:
        return " ".join(self.facts["reasons"])


class NotReady(Refused):
    """Something that the urgency's readiness list asks for is missing."""

    code = "not_ready"

    def _words(self) -> str:
        return f"Still missing: {'; '.join(self.facts['missing'])}."


class OutOfTerm(Refused):
    """The scheme's term has not begun or is over: nothing may be published under it."""

    code = "out_of_term"
    sentence = (
        "The scheme {scheme} runs from {starts} to {ends}: nothing can be published under it now. "
        "A commissioner publishes rules for a new term; a person who waits can be placed otherwise meanwhile."
    )


class TermReplaced(OutOfTerm):
    """The term of the rules that something was published under is over, and the scheme goes on under newer ones."""

    code = "term_replaced"
    sentence = (
        "It was published under rules of {scheme} whose term ended on {ends}. Newer rules stand: copy it for the same "
        "person, and publish the copy under them."
    )


class LimitPassed(Refused):
    """A day that the law sets has passed, and what was due by then is missing."""

    code = "limit_passed"
    sentence = "{words} It was due by {last_day:%-d %B %Y}. Until it is done: {stands_still}."


class WrongMode(Refused):
    """This round finds its provider in another way."""

    code = "wrong_mode"
    sentence = "This round finds its provider in another way."


class CannotAmend(Refused):
    """What providers answered can't be changed now: their bids are open, or one of them was chosen."""

    code = "cannot_amend"
    sentence = "Referral {ref} can't be amended: {reason}."


class TakenByAnother(Conflict):
    """Another provider was first to accept."""

    code = "taken_by_another"
    sentence = "Another provider was the first to accept {ref}."


class NeedsSecondPerson(Refused):
    """The scheme asks for another person at this step."""

    code = "needs_second_person"
    sentence = "{actor} has signed already, typed a bid here, or declared an interest: somebody else must {step}."


class PriceStillSealed(Refused):
    """A price was looked for before its closing had opened; the look is on the trail."""

    code = "still_sealed"
    sentence = "Nothing of this bid can be read before its closing opens."
