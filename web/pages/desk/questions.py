"""A broker answers what providers ask about a package: to everybody invited at once, and without learning who asked."""

from typing import Any

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from bidding.questions import answer, questions_of_referral, referral_of_question
from dps.kernel.errors import BadInput
from web.pages.forms import Form
from web.pages.guards import BROKERS
from web.pages.visit import Page, Visit


class Questions(Controller):
    """The questions about one referral, those that wait first."""

    path = "/desk"
    guards = (BROKERS,)

    @get("/referrals/{referral_ref:str}/questions", sync_to_thread=True)
    def asked(self, referral_ref: FromPath[str], visit: NamedDependency[Visit]) -> Page:
        """Each question with its answer, or with the form for one."""
        return _page(visit, referral_ref)

    @post("/questions/{question_ref:str}/answer", sync_to_thread=True)
    def answer(
        self, question_ref: FromPath[str], visit: NamedDependency[Visit], form: NamedDependency[Form]
    ) -> Response[Any]:
        """Answer; the question goes out in the words that stand in the form."""
        with visit.look() as (session, _):
            referral = referral_of_question(session, question_ref, visit.actor)
        shown, words = form.text("shown"), form.text("answer")
        try:
            with visit.command() as session:
                answer(session, visit.ports, question_ref=question_ref, shown=shown, words=words, actor=visit.actor)
        except BadInput as bad:
            said = {"ref": question_ref, "shown": shown, "answer": words, "fault": str(bad.reason)}
            return _page(visit, referral, said)
        return visit.to(f"/desk/referrals/{referral}/questions")


def _page(visit: Visit, referral_ref: str, said: dict[str, str] | None = None) -> Page:
    with visit.look() as (session, _):
        found = questions_of_referral(session, visit.ports.keyring, referral_ref=referral_ref, actor=visit.actor)
        return visit.page(
            "desk/questions.html",
            status=400 if said else 200,
            referral=referral_ref,
            questions=found,
            said=said or {"ref": "", "shown": "", "answer": "", "fault": ""},
        )
