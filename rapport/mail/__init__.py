"""Mail is what the servers told us: accounts, folders, messages, where they lie, and the threads they form."""
