"""What a cell means: text, numbers, times, values of the ontology, and words for what is not known."""
