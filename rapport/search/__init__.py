"""Search finds threads; the inbox is a search with no words."""
