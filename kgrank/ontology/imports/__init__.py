"""Taxonomies of other systems as ontologies: read into one plan, folded into inheritance, written as Turtle."""
