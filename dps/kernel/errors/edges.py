"""At the edges: who asks, how often, and from which form."""

from collections.abc import Mapping

from dps.kernel.errors.families import BadInput, Conflict, DpsError, Refused


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


class BadAnswers(BadInput):
    """A form says several things that can't be: `faults` gives the reason of each field, in the form's order."""

    code = "bad_answers"

    def __init__(self, faults: Mapping[str, str]) -> None:
        field, reason = next(iter(faults.items()))
        super().__init__(reason, field=field, faults=dict(faults))
