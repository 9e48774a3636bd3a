// The people who must not come back with a later load, as salted hashes.
CREATE CONSTRAINT kgrank_forgotten_id IF NOT EXISTS FOR (n:KgrankForgotten) REQUIRE n.id IS UNIQUE;
