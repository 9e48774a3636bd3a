"""Data profiling: what the files of an unknown shop are, as a mapping, an ontology and a list of doubts."""
