// What a load wrote, and which of these files the database has seen.
CREATE CONSTRAINT loaded_id IF NOT EXISTS FOR (n:Loaded) REQUIRE n.id IS UNIQUE;
CREATE CONSTRAINT schema_id IF NOT EXISTS FOR (n:Schema) REQUIRE n.id IS UNIQUE;
