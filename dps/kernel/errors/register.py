"""Who may supply: applications, documents, memberships, hours."""

from dps.kernel.errors.families import BadInput, Conflict, Refused


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
    sentence = "Nobody is admitted before these are here, confirmed and good: {kinds}."


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
