"""The root of the tree and its families: a family says what can be done about an error, and how it is answered."""

from collections.abc import Iterable
from difflib import get_close_matches
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


def meant(text: str, known: Iterable[str]) -> str:
    """What goes behind an unknown word: ` (did you mean 'window'?)`, or nothing where no known word is near."""
    near = get_close_matches(text, list(known), n=1)
    return f" (did you mean {near[0]!r}?)" if near else ""
