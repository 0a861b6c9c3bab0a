"""One council's rules as data: the Scheme model, its loader and the presets."""
