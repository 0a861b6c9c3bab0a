"""Tenders: sealed bids for a contract over a whole area, evaluated on a stated volume of work."""
