"""What a month came to: each number against SQL of its own."""
