"""Writing a referral down, one thing a page: the same pages for brokers and for requesters."""
