"""What was delivered, visit by visit: records of electronic call monitoring, matched to what was planned."""
