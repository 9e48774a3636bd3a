"""Data of persons: where they are, and how somebody is removed from them."""
