"""Whole ways through the product, in a browser."""
