"""Who is asking: API keys now; accounts and sessions of people stand beside them."""
