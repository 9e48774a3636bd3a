"""The knowledge graph: its tables, and the stores that keep it."""
