"""What browsers load besides pages: style sheets and scripts, built from packages and from the files here."""
