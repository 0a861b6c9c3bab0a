"""Every table of the house: importing this module is what fills the metadata."""

from sqlmodel import SQLModel

# ruff: noqa: F401
import bidding.allocation.runs
import bidding.awards.records
import bidding.bids.records
import bidding.calls
import bidding.closings
import bidding.custody
import bidding.offers
import bidding.questions
import bidding.referrals
import bidding.rounds
import bidding.run_off
import bidding.tenders.records
import bidding.unkept
import dps.contracts.answers
import dps.contracts.area_contracts
import dps.contracts.contracts
import dps.contracts.deliveries.records
import dps.contracts.enablement
import dps.contracts.outcomes
import dps.contracts.passing_on
import dps.contracts.quality.concerns
import dps.contracts.quality.following_up
import dps.contracts.quality.recognition
import dps.contracts.statements.records
import dps.contracts.tiers
import dps.contracts.variations.records
import dps.kernel.audit
import dps.kernel.clock
import dps.kernel.idempotency
import dps.kernel.outbox
import dps.law.notices
import dps.packages.exclusions
import dps.packages.packages
import dps.packages.persons
import dps.packages.remarks
import dps.places.directory
import dps.register.applications
import dps.register.arrangements
import dps.register.blocks
import dps.register.capacity
import dps.register.document_files
import dps.register.documents
import dps.register.holds
import dps.register.inquiries
import dps.register.interests
import dps.register.limits
import dps.register.location_notices
import dps.register.membership
import dps.register.providers
import dps.register.rate_cards
import dps.register.suspensions
import dps.schemes.proposed
import dps.schemes.stored
import web.pages.calendar
import web.pages.portal.drafts
import web.pages.portal.own_copies
import web.security.accounts
import web.security.api_keys
import web.security.guesses
import web.security.openid
import web.security.passkeys
import web.security.sessions
import web.sending.chosen
import web.sending.letters
import web.sending.webhooks

metadata = SQLModel.metadata
