"""People, packages and contracts: what may not be read, linked, changed or begun."""

from dps.kernel.errors.families import Conflict, Refused


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
