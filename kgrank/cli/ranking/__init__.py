"""Commands that rank and explain."""
