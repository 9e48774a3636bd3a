"""Rules as people write them, sentences and sheets with labels, read into the ontology's ids."""
