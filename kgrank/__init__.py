"""kgrank: learned attribute importance for e-commerce catalogues, and rankings that add up."""

__version__ = "0.5.0.dev0"
