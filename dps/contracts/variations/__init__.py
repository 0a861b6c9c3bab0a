"""How a contract changes: who may change it, within which limits, from when, at what cost, and why."""
