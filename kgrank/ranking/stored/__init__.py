"""What is written to the store for rankings, and counted there."""
