"""Mime turns bytes into a message and back: parsing in a child process, addresses, quotes, safe HTML."""
