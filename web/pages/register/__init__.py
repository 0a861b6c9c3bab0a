"""Pages of the register's officers: who may supply, where, and what stops them."""
