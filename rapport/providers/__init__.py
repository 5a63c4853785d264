"""Providers speak to mail servers: one adapter per kind of server, one vocabulary for all of them."""
