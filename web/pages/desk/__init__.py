"""The broker's desk: what waits, each referral's story, publishing, deciding, and what goes off the straight way."""
