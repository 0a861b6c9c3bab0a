"""The competition, one room per step, read in the order things happen."""
