"""What the law sets for every council alike: bases, their dates, thresholds, and the clocks that run towards them."""
