"""Choices read from a graph: the design matrix, responses and searches."""
