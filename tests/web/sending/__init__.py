"""What leaves the house: letters, calls, the feed."""
