"""People: nothing is read of them here; whoever may erase one asks for it, and gives the reason."""

from litestar import Controller, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Struct
from sqlmodel import Session

from bidding.erasing import erase_person
from dps.packages.erasure import ErasureReason
from web.api.guards import ERASING
from web.api.once import Answer, Write


class Erasure(Struct, forbid_unknown_fields=True):
    """Why a person is erased; the trail keeps it."""

    reason: ErasureReason


class Erased(Struct):
    """A person whose key is destroyed: nobody can read who it was. The worker then clears the database's files."""

    ref: str


class Persons(Controller):
    """The people of the caller's authority, by reference alone."""

    path = "/persons"
    tags = ("People",)

    @post("/{ref:str}/erasure", guards=[ERASING], sync_to_thread=True, status_code=200)
    def erase(self, ref: FromPath[str], data: JSONBody[Erasure], write: NamedDependency[Write]) -> Erased:
        """Destroy this person's key, for good; refused while a contract or a search of theirs is open."""

        def run(session: Session) -> Answer:
            erase_person(session, write.ports, person_ref=ref, reason=data.reason, actor=write.actor)
            return {"ref": ref}

        return Erased(**write.once(run, str(data.reason)))
