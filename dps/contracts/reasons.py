"""Why a contract did not start, changed, paused, ended or came back, or its statement is wrong: closed lists; free text
may name a person."""

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
    PROVIDER_FAILING = "provider_failing"

    @property
    def is_the_providers(self) -> bool:
        """Held against the provider; what the person needs or wishes is not, nor a danger that it names."""
        return self in (
            HandBackReason.STAFFING,
            HandBackReason.PROVIDER_CLOSING,
            HandBackReason.PROVIDER_FAILING,
        )


class FlexReason(StrEnum):
    """Why more support was begun at once."""

    ILLNESS = "illness"
    FALL = "fall"
    CARER_UNWELL = "carer_unwell"
    END_OF_LIFE = "end_of_life"
    LEFT_HOSPITAL = "left_hospital"


class FlexChange(StrEnum):
    """What the provider changed, by the monitoring form."""

    LONGER_VISITS = "longer_visits"
    MORE_VISITS = "more_visits"
    NIGHTS = "nights"
    LIVE_IN = "live_in"
    SITTING = "sitting"


class FlexOutcome(StrEnum):
    """How a flex ended, by the monitoring form."""

    BACK_TO_NORMAL = "back_to_normal"
    MORE_CARE_NEEDED = "more_care_needed"
    HOSPITAL = "hospital"
    CARE_HOME = "care_home"
    PERSON_DIED = "person_died"


class Averted(StrEnum):
    """What a flex kept from happening, in the provider's judgement."""

    NOTHING = "nothing"
    HOSPITAL_ADMISSION = "hospital_admission"
    CARE_HOME_ADMISSION = "care_home_admission"


class ChangeReason(StrEnum):
    """Why a package shrinks or grows."""

    MORE_INDEPENDENT = "more_independent"
    EQUIPMENT = "equipment"
    FAMILY_HELPS = "family_helps"
    NEEDS_GREW = "needs_grew"
    PERSONS_WISH = "persons_wish"


class QueryReason(StrEnum):
    """What a provider finds wrong with a statement."""

    VISITS_MISSING = "visits_missing"
    TIMES_WRONG = "times_wrong"
    PRICE_WRONG = "price_wrong"
    DAYS_WRONG = "days_wrong"
    OUTCOMES_WRONG = "outcomes_wrong"
    OTHER = "other"
