"""The ontology as seven sheets, for people who edit tables; Turtle stays the record."""
