"""Cli does headless what the pages do, for administrators, scripts and tests."""
