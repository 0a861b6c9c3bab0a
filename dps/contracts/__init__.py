"""What was agreed and what happens afterwards."""
