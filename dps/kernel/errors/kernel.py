"""What the kernel itself refuses: steps, references, repeated requests, prices that are not there."""

from dps.kernel.errors.families import BadInput, Conflict, Refused


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
