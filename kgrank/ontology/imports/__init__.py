"""Taxonomies of other systems: read into one plan, folded into inheritance, written as Turtle."""

SYSTEMS = ("shopify", "akeneo", "google", "schema.org", "csv")
"""The other systems whose files are read, by ``kgrank.profiling.taxonomies``."""
