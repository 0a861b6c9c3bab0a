"""Awards: proposed, offered, accepted, confirmed; and what follows when one falls through."""
