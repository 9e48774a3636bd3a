"""What a run reports while it works, and how Ctrl-C is heeded."""
