"""The pages: the provider's portal and the council's desk, rendered here and whole without JavaScript."""
