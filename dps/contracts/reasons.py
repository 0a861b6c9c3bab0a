"""Why a contract did not start, paused, ended or came back: closed lists, because free text may name a person."""

from enum import StrEnum


class FailureReason(StrEnum):
    """Why care never started; only the first is the provider's doing."""

    PROVIDER_COULD_NOT = "provider_could_not"
    STILL_IN_HOSPITAL = "still_in_hospital"
    PERSON_REFUSED = "person_refused"
    PERSON_DIED = "person_died"
    NEEDS_CHANGED = "needs_changed"

    @property
    def is_the_providers(self) -> bool:
        return self is FailureReason.PROVIDER_COULD_NOT


class SuspensionReason(StrEnum):
    HOSPITAL = "hospital"
    RESPITE = "respite"
    AWAY = "away"


class EndReason(StrEnum):
    INDEPENDENT = "independent"
    CARE_HOME = "care_home"
    MOVED_AWAY = "moved_away"
    PERSON_DIED = "person_died"
    PERSONS_CHOICE = "persons_choice"
    REPLACED = "replaced"
    COUNCIL_DECISION = "council_decision"


class HandBackReason(StrEnum):
    STAFFING = "staffing"
    SAFETY = "safety"
    NEEDS_CHANGED = "needs_changed"
    RELATIONSHIP = "relationship"
    PROVIDER_CLOSING = "provider_closing"
