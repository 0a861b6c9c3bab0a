"""What a contract is paid: one calculator for each way, without a database. Pence, rounded once a line, half up."""
