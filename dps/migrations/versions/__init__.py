"""The steps of the history, each written once; a step is never edited after a release has carried it."""
