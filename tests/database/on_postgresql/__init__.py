"""Tests of PostgreSQL itself: only with TESTS_ON=postgresql."""
