"""The provider's portal: find, bid, replace, withdraw, decline; take offers, confirm, return; contracts, debriefs."""
