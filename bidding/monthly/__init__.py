"""What a month came to, for those who answer for a scheme: `facts` reads it, `figures` reckons, purely."""
