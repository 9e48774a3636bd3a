// Why an item stands where it does: what each of its values adds to its score in a category.
// Parameters: $item (id), $category (id)
// Columns: attribute, name, value, number, weight, contribution
// The contributions add up to the score of top_items. `number` is the value of a number attribute; `weight` is
// the attribute's importance. An attribute that is missing here has no value, or none with a learned utility.
MATCH (served:KgrankServed {id: 'weights'})
MATCH (c:KgrankCategory {id: $category})-[u:UTILITY]->(v:KgrankAttributeValue)<-[h:HAS_VALUE]-(i:KgrankItem {id: $item})
WHERE u.version = served.version AND h.number >= u.low AND h.number < u.high
WITH served.version AS version, v, h.number AS number, u.intercept + u.slope * h.number AS amount
MATCH (c:KgrankCategory {id: $category})-[w:IMPORTANCE]->(a:KgrankAttribute)<-[:OF]-(v)
WHERE w.version = version
RETURN a.id AS attribute, a.name AS name, v.value AS value, number, w.weight AS weight, amount AS contribution
ORDER BY contribution DESC, attribute, value;
