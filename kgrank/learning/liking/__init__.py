"""The network of people and items in a run, without torch: what it learns from, and whether it serves."""
