// How much one attribute matters in every category, by the served weights.
// Parameters: $attribute (id)
// Columns: category, name, weight, low, high, strength
MATCH (served:KgrankServed {id: 'weights'})
MATCH (c:KgrankCategory)-[w:IMPORTANCE]->(a:KgrankAttribute {id: $attribute})
WHERE w.version = served.version
RETURN c.id AS category, c.name AS name, w.weight AS weight, w.low AS low, w.high AS high,
       w.strength AS strength
ORDER BY weight DESC, category;
