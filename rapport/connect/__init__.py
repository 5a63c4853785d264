"""Connect is how we reach the servers: testing, adding and opening accounts, and keeping their secrets."""
