"""Audit is who did what to whom: append-only, without content."""
