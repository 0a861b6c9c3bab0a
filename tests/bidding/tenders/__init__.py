"""Tests of tenders for a whole area."""
