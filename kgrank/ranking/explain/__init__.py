"""Why an item ranks where it does."""
