"""People are who signs in: users, and later their teams and roles."""
