"""``kgrank ontology``."""
