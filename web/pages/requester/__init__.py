"""Pages for whoever asks for care: a social worker, a ward."""
