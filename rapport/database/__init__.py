"""Where the rows are kept, SQLite or PostgreSQL, and what differs between the two."""
