"""From scored bids to proposed awards: the instance that a closing is decided from, and the run that decides it."""
