// How much each attribute matters in a category, by the served weights.
// Parameters: $category (id)
// Columns: attribute, name, weight, low, high, shoppers, strength, reference
// `weight` is the share of the decision for the average shopper, `low` to `high` its 95 % interval, `shoppers`
// the average of the shoppers' own shares, `strength` the sum of the ranges in logits.
MATCH (served:KgrankServed {id: 'weights'})
MATCH (c:KgrankCategory {id: $category})-[w:IMPORTANCE]->(a:KgrankAttribute)
WHERE w.version = served.version
RETURN a.id AS attribute, a.name AS name, w.weight AS weight, w.low AS low, w.high AS high,
       w.shoppers AS shoppers, w.strength AS strength, w.reference AS reference
ORDER BY weight DESC, attribute;
