"""Neo4j over Bolt, through the official driver."""
