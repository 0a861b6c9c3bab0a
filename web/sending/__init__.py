"""What leaves the house: a message of the outbox becomes letters to people, calls to systems, a line of a feed."""
