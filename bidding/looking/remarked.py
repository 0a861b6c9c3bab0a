"""What people wrote about a referral on its way, as long as the person's key lives."""

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from bidding.referrals import Referral
from dps.kernel.keys import Keyring
from dps.kernel.references import Kind
from dps.packages.packages import Package
from dps.packages.persons import Person
from dps.packages.remarks import Remark, words_of


@dataclass(frozen=True, slots=True)
class SeenRemark:
    """One remark about a referral, an award or an invitation. `words` is None once the person is erased."""

    about: str
    step: str
    by: str
    at: datetime
    words: str | None


def remarks(session: Session, keyring: Keyring, referral: str) -> list[SeenRemark]:
    """Everything said of a referral, the first first. The caller has made sure that its actor may see the referral."""
    query = (
        select(Remark, Person)
        .join(Package, col(Package.id) == col(Remark.package_id))
        .join(Person, col(Person.id) == col(Package.person_id))
        .join(Referral, col(Referral.package_id) == col(Package.id))
        # Who asked a question is shown to nobody: those words are read in `bidding/questions` alone.
        .where(Referral.ref == referral, col(Remark.about).not_like(f"{Kind.QUESTION}-%"))
        .order_by(col(Remark.id))
    )
    return [
        SeenRemark(
            about=remark.about,
            step=remark.step,
            by=remark.written_by,
            at=remark.written_at,
            words=words_of(keyring, person, remark),
        )
        for remark, person in session.exec(query)
    ]
