"""After the award: variations and statements."""

from dps.kernel.errors.families import Conflict, Refused


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
