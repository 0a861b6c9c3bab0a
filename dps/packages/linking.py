"""Packages that belong together: parts of one person's care, or two people of one household."""

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import Session, col, select

from dps.kernel import audit
from dps.kernel.actors import Actor
from dps.kernel.database import locked
from dps.kernel.errors import BadInput, CannotLink
from dps.packages.facts import LinkKind
from dps.packages.packages import WRITING, Package


def link(session: Session, packages: Sequence[Package], *, kind: LinkKind, actor: Actor, now: datetime) -> str:
    """Link these packages for good and return the group's name: the reference of the first of them.

    Parts of a split package are one person's, members of a household are different people in one sector; all are of
    one authority and scheme, and none belongs to a group yet. CannotLink says what is wrong.
    """
    actor.needs("link packages", *WRITING)
    if kind is LinkKind.ALONE:
        raise BadInput("packages are linked as a split package or as a household", field="linked_as")
    for package in packages:
        actor.sees("package", package.ref, authority=package.authority)
    current = locked(session, Package, *(package.id for package in packages))
    reason = _why_not(current, kind)
    if reason:
        raise CannotLink(reason=reason)
    group = packages[0].ref
    for package in current:
        package.linked_group, package.linked_as = group, kind
        session.add(package)
    session.flush()
    for package in current:
        audit.append(
            session, package.stream, "package.linked", actor, now, {"ref": package.ref, "group": group, "as": kind}
        )
    return group


def linked_with(session: Session, package: Package) -> Sequence[Package]:
    """The other packages of its group, in the order in which they were written; none if it stands alone."""
    if package.linked_group is None:
        return []
    query = select(Package).where(Package.linked_group == package.linked_group, Package.id != package.id)
    return session.exec(query.order_by(col(Package.id))).all()


def _why_not(packages: Sequence[Package], kind: LinkKind) -> str | None:
    people = {package.person_id for package in packages}
    if len(packages) < 2:
        return "it takes two packages or more: name another one"
    if any(package.linked_group is not None for package in packages):
        return "one of them is linked already"
    if len({(package.authority, package.scheme) for package in packages}) > 1:
        return "they are of different authorities or schemes"
    if kind is LinkKind.SPLIT_PACKAGE and len(people) > 1:
        return "the parts of a split package are one person's"
    if kind is LinkKind.HOUSEHOLD and len(people) < len(packages):
        return "a household is of different people"
    if kind is LinkKind.HOUSEHOLD and len({package.sector for package in packages}) > 1:
        return "a household lives in one place: look whether both postcodes are right"
    return None
