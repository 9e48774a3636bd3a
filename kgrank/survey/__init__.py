"""What to ask next: values that are missing, and choice tasks, with what the answers are expected to bring."""
