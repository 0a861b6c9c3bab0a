"""Clock, calendar, money, states, storage and trail: no business words live here."""
