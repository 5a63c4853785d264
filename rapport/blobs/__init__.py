"""Blobs are the raw messages, kept by the hash of their content, compressed, in packs on the disk."""
