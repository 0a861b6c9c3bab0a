"""Who can, and who is best: a library of frozen records and arrays, without SQL, clock or web."""
