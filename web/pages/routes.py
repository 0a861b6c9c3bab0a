"""Every page's route, under one roof: the headers, the refusals and the two dependencies are the same for all."""

from litestar import Router
from litestar.di import Provide
from litestar.exceptions import HTTPException
from sqlalchemy.exc import DataError

from dps.kernel.errors import DpsError
from web.assembly import Installation
from web.pages import refusals
from web.pages.accounts import Accounts
from web.pages.assets import asset, theme
from web.pages.calendar import Calendars
from web.pages.desk.area_contracts import AreaContracts
from web.pages.desk.areas import AreaStatements
from web.pages.desk.awards import Awards
from web.pages.desk.calls import Calls, TelephoneBids
from web.pages.desk.contracts import DeskContracts, Statements, Variations
from web.pages.desk.directly import DirectAwards, OpenOffers
from web.pages.desk.entry import DeskBeginning, DeskEntry
from web.pages.desk.erasing import Erasing
from web.pages.desk.exclusions import Exclusions
from web.pages.desk.importing import Importing
from web.pages.desk.interests import Interests
from web.pages.desk.letters import Letters, Requesters
from web.pages.desk.lost import LostBids
from web.pages.desk.otherwise import Placements, Proposing
from web.pages.desk.outcomes import Outcomes, Settling
from web.pages.desk.questions import Questions
from web.pages.desk.queue import Queue
from web.pages.desk.referrals import Closings, Referrals
from web.pages.desk.run_offs import RunOffs
from web.pages.desk.twins import Twins
from web.pages.desk.varying import Varying
from web.pages.elsewhere import SigningInElsewhere
from web.pages.forms import provide_form
from web.pages.homes import Homes
from web.pages.invitations import ChoosingPassword
from web.pages.office.areas import Areas
from web.pages.office.block_statements import BlockStatements
from web.pages.office.blocks import Blocks
from web.pages.office.clocks import LegalClocks
from web.pages.office.coverage import CoverageMap
from web.pages.office.custody import Custody
from web.pages.office.quality import Quality
from web.pages.office.report import Report
from web.pages.office.uplifts import Uplifts
from web.pages.office.what_if import Proposals, WhatIfs
from web.pages.passkeys import OwnPasskeys, WithPasskey
from web.pages.portal.areas import AreaBids
from web.pages.portal.bidding import Bidding
from web.pages.portal.bids import Bids
from web.pages.portal.blocks import OwnBlocks
from web.pages.portal.changes import OwnChanges, OwnVariations
from web.pages.portal.contracts import Contracts, OwnReviews, OwnStatements
from web.pages.portal.free_hours import FreeHours
from web.pages.portal.joining import Applications, Joining
from web.pages.portal.locations import OwnLocations
from web.pages.portal.many import ManyBids
from web.pages.portal.messages import Messages
from web.pages.portal.offers import Offers
from web.pages.portal.open_list import OpenList
from web.pages.portal.opportunities import Opportunities, Portal
from web.pages.portal.own_service import OwnService
from web.pages.portal.prices import Prices
from web.pages.portal.quality import OwnQuality
from web.pages.portal.space import SpacePage
from web.pages.portal.take_limits import TakeLimits
from web.pages.portal.telephone import TelephoneConfirmations
from web.pages.portal.together import Delivery, Together
from web.pages.portal.visits import VisitRecords
from web.pages.register.applications import ApplicationsToDecide
from web.pages.register.arrangements import Arrangements
from web.pages.register.documents import Documents
from web.pages.register.hours import FlaggedHours
from web.pages.register.locations import Locations
from web.pages.register.moves import Moves
from web.pages.register.newcomers import Newcomers
from web.pages.register.providers import Providers
from web.pages.register.renewal import Renewal
from web.pages.register.suspensions import Suspensions
from web.pages.requester.asking import RequestBeginning, RequestEntry, Sending
from web.pages.requester.requests import Requests
from web.pages.signing_in import SigningIn, SigningOut
from web.pages.system_keys import SystemKeys
from web.pages.visit import provide_visit


def pages(installation: Installation) -> Router:
    """The router of all pages."""
    headers = refusals.HEADERS | ({} if installation.settings.demo else refusals.STRICT_TRANSPORT)
    return Router(
        "/",
        route_handlers=[
            asset,
            theme,
            Homes,
            Report,
            LegalClocks,
            Areas,
            Quality,
            OwnQuality,
            CoverageMap,
            WhatIfs,
            Proposals,
            Uplifts,
            SigningIn,
            SigningOut,
            ChoosingPassword,
            WithPasskey,
            OwnPasskeys,
            SigningInElsewhere,
            Accounts,
            SystemKeys,
            Portal,
            Opportunities,
            SpacePage,
            OpenList,
            AreaBids,
            Bidding,
            ManyBids,
            Bids,
            Offers,
            Contracts,
            OwnChanges,
            Delivery,
            OwnVariations,
            OwnReviews,
            OwnStatements,
            VisitRecords,
            OwnBlocks,
            Blocks,
            BlockStatements,
            Custody,
            Prices,
            OwnService,
            Together,
            OwnLocations,
            Messages,
            Calendars,
            FreeHours,
            TakeLimits,
            Joining,
            Applications,
            Queue,
            Questions,
            DeskBeginning,
            Importing,
            Exclusions,
            Erasing,
            DirectAwards,
            Proposing,
            Placements,
            OpenOffers,
            Interests,
            RunOffs,
            ApplicationsToDecide,
            Providers,
            Documents,
            Suspensions,
            Moves,
            Newcomers,
            FlaggedHours,
            Locations,
            Renewal,
            Arrangements,
            DeskContracts,
            Variations,
            Varying,
            Outcomes,
            Settling,
            AreaContracts,
            AreaStatements,
            Statements,
            Calls,
            TelephoneBids,
            Letters,
            Requesters,
            Requests,
            RequestBeginning,
            RequestEntry,
            Sending,
            TelephoneConfirmations,
            DeskEntry,
            Twins,
            Referrals,
            Closings,
            LostBids,
            Awards,
        ],
        dependencies={
            "visit": Provide(provide_visit, sync_to_thread=False),
            "form": Provide(provide_form),
        },
        exception_handlers={
            DpsError: refusals.refused,
            HTTPException: refusals.turned_away,
            RecursionError: refusals.unreadable,
            UnicodeDecodeError: refusals.unreadable,
            DataError: refusals.unreadable,
            OverflowError: refusals.unreadable,
            Exception: refusals.failed,
        },
        response_headers=headers,
        include_in_schema=False,
    )
