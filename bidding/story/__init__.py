"""One award's whole story for an auditor: `telling` reads it, `claims` says what of it holds."""
