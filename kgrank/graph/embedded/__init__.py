"""The embedded store: one file, no server, one process at a time."""
