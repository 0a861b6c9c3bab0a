"""Who needs care, and what care: the person (under a key of its own) and the package that a referral asks to place."""
