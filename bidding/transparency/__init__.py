"""What the public and its auditors may know of awards: the register, and its open data."""
