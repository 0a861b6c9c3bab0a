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


class BadNeighbours(BadInput):
    """Stated neighbours name an unknown locality, the locality itself, or only one way."""

    code = "bad_neighbours"


class NotComparable(Refused):
    """Two positions on different grids have no distance."""

    code = "positions_not_comparable"
    sentence = "A position on the {one} grid and one on the {other} grid can't be compared."
