"""``kgrank audit``."""
