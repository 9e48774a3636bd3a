"""A log of what shoppers did: its columns, its kinds of events, and the mapping of its file."""
