"""``kgrank serve`` and its keys."""
