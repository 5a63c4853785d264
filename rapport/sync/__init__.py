"""Sync is the engine: it moves the truth between servers and rows, and is ready to die on any line."""
