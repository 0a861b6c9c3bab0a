"""Bids: what one may say (`content`), how it is kept (`records`), and how it is handed in (`submitting`)."""
