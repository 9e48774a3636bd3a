"""A file of products: its columns, its attributes, and the mapping of the file."""
