"""What SQLite and PostgreSQL do differently, and has to come out the same."""
