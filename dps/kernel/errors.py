"""Every way the engine says no, in one tree.

An error is named for what happened. It carries a stable `code` (what programs match on), the facts as
attributes (what pages write their words from) and a plain sentence (what a log or a terminal shows).
HTTP status codes belong to `web/`.
"""

from typing import Any, ClassVar


class DpsError(Exception):
    """Root of the tree: `code` is stable, `facts` are what the words are made from."""

    code: ClassVar[str] = "error"
    sentence: ClassVar[str] = "Something went wrong."

    def __init__(self, **facts: Any) -> None:
        self.facts: dict[str, Any] = facts
        super().__init__(self._words())

    def _words(self) -> str:
        try:
            return self.sentence.format(**self.facts)
        except (KeyError, IndexError):
            return self.sentence

    def __getattr__(self, name: str) -> Any:
        try:
            return self.__dict__["facts"][name]
        except KeyError:
            raise AttributeError(name) from None

    def __reduce__(self) -> Any:
        # An error that can't be copied would break the process pool that it was raised in, in place of its words.
        return _revived, (type(self), self.args, self.__dict__.copy())


def _revived(kind: type[DpsError], args: tuple[Any, ...], attributes: dict[str, Any]) -> DpsError:
    error = kind.__new__(kind, *args)
    error.__dict__.update(attributes)
    return error


# Families -------------------------------------------------------------------------------------


class Refused(DpsError):
    """A published rule says no; the same request made again will be refused again."""

    code = "refused"


class Conflict(DpsError):
    """Somebody else was first; look again, then decide."""

    code = "conflict"


class Forbidden(DpsError):
    """This actor may not do this."""

    code = "forbidden"
    sentence = "{actor} may not {step}."


class NotFound(DpsError):
    """No such thing, or none that this actor may know of: the two are never told apart."""

    code = "not_found"
    sentence = "There is no {kind} {ref}."


class BadInput(DpsError):
    """A file or form says something impossible: names the file, row, field and reason."""

    code = "bad_input"

    def __init__(
        self, reason: str, *, file: str | None = None, row: int | None = None, field: str | None = None, **facts: Any
    ) -> None:
        self._reason = reason
        super().__init__(reason=reason, file=file, row=row, field=field, **facts)

    def _words(self) -> str:
        place = [str(self.facts["file"])] if self.facts["file"] else []
        if self.facts["row"] is not None:
            place.append(f"row {self.facts['row']}")
        if self.facts["field"]:
            place.append(str(self.facts["field"]))
        return f"{', '.join(place)}: {self._reason}" if place else self._reason


class Misconfigured(DpsError):
    """The installation's settings or keys make no sense; the process must not start."""

    code = "misconfigured"
    sentence = "{reason}"


class Corrupted(DpsError):
    """Stored things contradict each other: stop and call an engineer."""

    code = "corrupted"
    sentence = "{reason}"


# Kernel ---------------------------------------------------------------------------------------


class NoSuchStep(Refused):
    """The state table has no such step from this state."""

    code = "no_such_step"
    sentence = "{kind} {ref} is {state}: it can't {step}."


class StateChanged(Conflict):
    """The row was no longer in the state this command read."""

    code = "state_changed"
    sentence = "{kind} {ref} has changed meanwhile; look again."


class KeyReused(Conflict):
    """The same idempotency key came with another body."""

    code = "idempotency_key_reused"
    sentence = "This idempotency key was used before with another request."


class AnsweredMeanwhile(Conflict):
    """A request with the same idempotency key was answered while this one was at work."""

    code = "answered_meanwhile"
    sentence = "A request with this idempotency key was answered meanwhile; send it again to read the answer."


class BadReference(BadInput):
    """A reference is not of the form this kernel makes."""

    code = "bad_reference"


class NoPrice(BadInput):
    """A rate card has no price for something that the schedule asks for."""

    code = "no_price"


# Places ---------------------------------------------------------------------------------------


class NotAPostcode(BadInput):
    """The text has not the form of a complete postcode; `fault` says why, `suggestions` what may have been meant."""

    code = "not_a_postcode"


class BadDirectory(BadInput):
    """A postcode directory can't be loaded: nothing of it was."""

    code = "bad_postcode_directory"


class LocalitiesOverlap(BadInput):
    """One district or sector stands in two localities, so that a postcode would belong to both."""

    code = "localities_overlap"


class NotComparable(Refused):
    """Two positions on different grids have no distance."""

    code = "positions_not_comparable"
    sentence = "A position on the {one} grid and one on the {other} grid can't be compared."


# Packages and contracts -----------------------------------------------------------------------


class PersonErased(Refused):
    """The person's key was destroyed: nothing of them can be read or changed any more."""

    code = "person_erased"
    sentence = "Person {ref} was erased: nothing is left to read."


class PersonKnown(Conflict):
    """This authority has registered this NHS number before; one person is one row, so that people can be counted."""

    code = "person_known"
    sentence = "This NHS number is registered already, as {ref}."


class StillServed(Refused):
    """A person is not erased while care under a contract goes on."""

    code = "still_served"
    sentence = "Person {ref} is still served under contract {contract}: end it first."


class StillSought(Refused):
    """A person is not erased while a provider is sought for one of their packages."""

    code = "still_sought"
    sentence = "Person {ref} still has the open referral {referral}: withdraw it first."


class NotACorrection(Refused):
    """What was changed is what providers bid for: it takes a new version, not a correction."""

    code = "not_a_correction"
    sentence = "Providers bid for {fields}: amend the package instead of correcting it."


class NothingChanged(Refused):
    """The change asked for changes nothing."""

    code = "nothing_changed"
    sentence = "Nothing of {ref} is changed by this."


class CannotLink(Refused):
    """These packages can't be linked in this way."""

    code = "cannot_link"
    sentence = "The packages can't be linked: {reason}."


class AlreadyExcluded(Conflict):
    """This provider is excluded for this person already."""

    code = "already_excluded"
    sentence = "This provider is excluded already."


class AlreadyContracted(Conflict):
    """The award has its contract, or the package is being served under another one."""

    code = "already_contracted"
    sentence = "Package {package} is under contract {contract} already."


class StartCannotMove(Refused):
    """The start was moved before, or would move further than the scheme allows."""

    code = "start_cannot_move"
    sentence = "The start of contract {ref} can't be moved: {reason}."


# Schemes --------------------------------------------------------------------------------------


class BadScheme(BadInput):
    """A scheme file is refused: `faults` are all of its faults, each a key and a reason; each is a line of words."""

    code = "bad_scheme"

    def __init__(self, faults: tuple[tuple[str, str], ...], *, file: str) -> None:
        self._lines = [": ".join(filter(None, (file, *fault))) for fault in faults]
        super().__init__(faults[0][1], file=file, field=faults[0][0] or None, faults=faults)

    def _words(self) -> str:
        return "\n".join(self._lines)


# Register -------------------------------------------------------------------------------------


class BadCompanyNumber(BadInput):
    """The text is not the form of a company number."""

    code = "bad_company_number"


class RegisteredAlready(Conflict):
    """A company or a registered location is on the register under another reference."""

    code = "registered_already"
    sentence = "{what} {number} is on the register already, as {ref}."


class AdmissionClosed(Refused):
    """The scheme takes no applications now; `opens_at` says when it does again, None for never."""

    code = "admission_closed"
    sentence = "{scheme} takes no applications now."


class DocumentExpired(Refused):
    """A document that is no longer good is not received."""

    code = "document_expired"
    sentence = "This document was good until {expires_on} only."


class DocumentsMissing(Refused):
    """A provider can't be admitted before the scheme's documents are here and good; `kinds` names those that aren't."""

    code = "documents_missing"
    sentence = "{provider} can't be admitted: {kinds} missing or expired."


class NotAdmitted(Refused):
    """The provider holds no membership that this command is about."""

    code = "not_admitted"
    sentence = "{provider} is not a member of {scheme} there."


class NoCapacity(Refused):
    """The provider's free hours for new work don't hold this package."""

    code = "no_capacity"
    sentence = "{provider} has {free_minutes} free carer-minutes a week; {asked_minutes} are needed."


class HeldOtherwise(Conflict):
    """Hours were held for this award before, for another provider, place or number of minutes, or were given back."""

    code = "held_otherwise"
    sentence = "Hours for {ref} were held before, and otherwise."


# Competition ----------------------------------------------------------------------------------


class TooLate(Refused):
    """The authority's clock, read after the locks, was at or past the end."""

    code = "too_late"
    sentence = "This closed at {closes_at:%H:%M:%S} UTC on {closes_at:%-d %B %Y}; it is {now:%H:%M:%S} UTC."


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
    sentence = "The scheme {scheme} runs from {starts} to {ends}: nothing can be published under it now."


class LimitPassed(Refused):
    """A day that the law sets has passed, and what was due by then is missing."""

    code = "limit_passed"
    sentence = "{words} It was due before {limit}."


class WrongMode(Refused):
    """This round finds its provider in another way."""

    code = "wrong_mode"
    sentence = "This round takes {mode}, not this."


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


# The edges ------------------------------------------------------------------------------------


class NotSignedIn(DpsError):
    """Nobody is known to be asking: no key, or one that is unknown, expired or revoked."""

    code = "not_signed_in"
    sentence = "Send an API key that is in force, as `Authorization: Bearer dps_…`."


class AccountKnown(Conflict):
    """There is an account with this e-mail address."""

    code = "account_known"
    sentence = "There is an account for {email} already."


class TooManyGuesses(Refused):
    """Ten guesses at one name within five minutes: the next is not looked at before `until`."""

    code = "too_many_guesses"
    sentence = "Too many tries. Wait five minutes, then try again."


class BadForm(Refused):
    """A form did not come from a page that this browser was given."""

    code = "bad_form"
    sentence = "This form is too old, or did not come from this site. Go back, load the page again and send it anew."


# After the award ------------------------------------------------------------------------------


class VariationRefused(Refused):
    """The scheme does not allow this change of a contract; `reasons` says each in words."""

    code = "variation_refused"

    def _words(self) -> str:
        return " ".join(self.facts["reasons"])


class CannotState(Refused):
    """No statement can be made of this period."""

    code = "cannot_state"
    sentence = "No statement can be made: {reason}."


class StatedAlready(Conflict):
    """Some of these days stand in another statement."""

    code = "stated_already"
    sentence = "Statement {ref} covers some of these days already."


class RuleNotMet(Refused):
    """The scheme's rule for this decision is not met; `reason` says by how much."""

    code = "rule_not_met"
    sentence = "{reason}"
