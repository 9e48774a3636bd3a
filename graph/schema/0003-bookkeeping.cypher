// What a load wrote, and which of these files the database has seen.
CREATE CONSTRAINT kgrank_loaded_id IF NOT EXISTS FOR (n:KgrankLoaded) REQUIRE n.id IS UNIQUE;
CREATE CONSTRAINT kgrank_schema_id IF NOT EXISTS FOR (n:KgrankSchema) REQUIRE n.id IS UNIQUE;
