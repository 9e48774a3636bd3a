"""Whom a ranking is for: a person's tastes and a session's events."""
