"""How good care is: concerns, people followed up, the council's indicators, and a provider's published score."""
