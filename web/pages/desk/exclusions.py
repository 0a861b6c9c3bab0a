"""Who must not serve a person, and why: for brokers alone, each look recorded."""

from collections.abc import Mapping
from typing import Any

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect

from bidding.excluding import exclude, excluded, lift
from bidding.looking.drafted import providers_by_name
from bidding.referrals import referral_of
from bidding.ties import ties_in_scheme
from dps.kernel.errors import AlreadyExcluded, BadInput, NeedsSecondPerson
from dps.packages.exclusions import Ground, Reason
from web.pages.forms import Checking, Form, Values, faults_of
from web.pages.guards import BROKERS
from web.pages.visit import Page, Visit


class Exclusions(Controller):
    """The person of one referral of the broker's authority."""

    path = "/desk/referrals/{referral_ref:str}/exclusions"
    guards = (BROKERS,)

    @get("/", sync_to_thread=True)
    def seen(self, referral_ref: FromPath[str], visit: NamedDependency[Visit]) -> Page:
        """Who is kept away, and why."""
        return _page(visit, referral_ref, {}, {})

    @post("/", sync_to_thread=True)
    def exclude(
        self, referral_ref: FromPath[str], visit: NamedDependency[Visit], form: NamedDependency[Form]
    ) -> Response[Any]:
        """Keep one more away."""
        with visit.look() as (session, _now):
            referral_of(session, referral_ref, visit.actor)
        checking = Checking()
        try:
            with checking.of("provider"):
                provider = form.needed("provider", "choose the provider")
            with checking.of("ground"):
                ground = form.choice(Ground, "ground", "choose why")
            with checking.of("words"):
                words = form.needed("words", "say what is known")
            checking.end()
            with visit.command() as session:
                exclude(
                    session,
                    visit.ports,
                    referral_ref=referral_ref,
                    provider=provider,
                    reason=Reason(ground=ground, words=words),
                    actor=visit.actor,
                )
        except BadInput as bad:
            said = faults_of(bad, "provider")
            faults = {"words" if field == "reason" else field: fault for field, fault in said.items()}
            return _page(visit, referral_ref, form.fields, faults)
        except AlreadyExcluded:
            return _page(visit, referral_ref, form.fields, {"provider": "it is kept away already"})
        except NeedsSecondPerson:
            words = "you declared a tie to another provider of this scheme: ask a colleague to record it"
            return _page(visit, referral_ref, form.fields, {"provider": words})
        return visit.to(f"/desk/referrals/{referral_ref}/exclusions")

    @post("/{exclusion_ref:str}/lifting", sync_to_thread=True)
    def lift(
        self,
        referral_ref: FromPath[str],
        exclusion_ref: FromPath[str],
        visit: NamedDependency[Visit],
        form: NamedDependency[Form],
    ) -> Redirect:
        """Let it serve the person again."""
        with visit.command() as session:
            lift(session, visit.ports, referral_ref=referral_ref, exclusion_ref=exclusion_ref, actor=visit.actor)
        return visit.to(f"/desk/referrals/{referral_ref}/exclusions")


def _page(visit: Visit, ref: str, values: Mapping[str, str], faults: Mapping[str, str]) -> Page:
    with visit.command() as session:
        kept_away = excluded(session, visit.ports, referral_ref=ref, actor=visit.actor)
        providers = providers_by_name(session)
        ties = ties_in_scheme(session, visit.actor, referral_of(session, ref, visit.actor).scheme)
    return visit.page(
        "desk/exclusions.html",
        status=400 if faults else 200,
        referral=ref,
        kept_away=kept_away,
        ties=sorted(ties),
        providers=providers,
        by_name=dict(providers),
        grounds=list(Ground),
        values=Values(values),
        faults=faults,
    )
