"""Links are which records an email is about, each with its reason."""
