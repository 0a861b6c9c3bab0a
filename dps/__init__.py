"""Who may supply, where, under which rules: the standing system everything else stands on."""
