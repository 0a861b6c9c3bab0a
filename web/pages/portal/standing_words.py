"""What keeps work from a provider, in a sentence, and where it is mended."""

from collections.abc import Collection
from dataclasses import dataclass

from dps.register.own_standing import Hindrance, Obstacle
from dps.schemes.model import Scheme
from web.pages import names
from web.pages.wording import day, lower

_OF_DOCUMENTS = (Obstacle.DOCUMENT_MISSING, Obstacle.DOCUMENT_OVER, Obstacle.DOCUMENT_ENDS_SOON)


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence, the page that mends it, and what the link there says."""

    text: str
    href: str
    link: str
    stops: bool


def hindrance_words(hindrance: Hindrance, scheme: Scheme, waiting: Collection[str] = ()) -> Sentence:
    """The hindrance as its provider reads it. `waiting`: kinds of which it has sent what an officer still confirms."""
    text, href, link = _words(hindrance, scheme)
    if hindrance.obstacle in _OF_DOCUMENTS and hindrance.what in waiting:
        text, link = f"{text} What you sent waits for the council to confirm it.", "See your documents"
    return Sentence(text=text, href=href, link=link, stops=hindrance.stops)


def _words(hindrance: Hindrance, scheme: Scheme) -> tuple[str, str, str]:
    hours = ("/portal/service/hours", "Declare free hours")
    documents = ("/portal/service/documents", "Upload it")
    authority, kind, last = names.authorities([scheme])[hindrance.what], lower(hindrance.what), day(hindrance.on)
    match hindrance.obstacle:
        case Obstacle.NO_PLACE:
            return "You hold no place in this scheme.", "/portal/service/schemes", "Apply"
        case Obstacle.SUSPENDED:
            return "All your places in this scheme are suspended: see below why.", "/rules", "Read the rules"
        case Obstacle.NO_BASE:
            return (
                "You have no registered location in this scheme's area.",
                "/portal/service/locations",
                "If you have one, report it",
            )
        case Obstacle.RATING:
            return "Your rating with the regulator is not one that this scheme invites.", "/rules", "Read the rules"
        case Obstacle.FULL:
            return "You said that you are full.", "/portal/service", "Undo it on this page"
        case Obstacle.NOTHING_DECLARED:
            return f"You have declared no free hours to {authority}.", *hours
        case Obstacle.DECLARATION_OVER:
            return f"Your free hours for {authority} were good until {last}.", *hours
        case Obstacle.NOTHING_LEFT:
            return f"All the free hours that you declared to {authority} are taken or reserved.", *hours
        case Obstacle.DOCUMENT_MISSING:
            return f"Your {kind} is missing.", *documents
        case Obstacle.DOCUMENT_OVER:
            return f"Your {kind} was good until {last}.", *documents
        case Obstacle.DOCUMENT_ENDS_SOON:
            return f"Your {kind} is good until {last}: send the next one before.", *documents
