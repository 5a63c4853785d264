"""Real servers, started by the tests themselves, and scripted ones for what no real server does."""
