"""kgrank: learned attribute importance for e-commerce catalogues, and rankings that add up."""

__version__ = "0.1.0"
