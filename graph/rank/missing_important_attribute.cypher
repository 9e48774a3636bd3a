// Items of a category and all below it that lack a value of an attribute that matters there.
// Parameters: $category (id), $least (smallest share that counts, 0 to 1), $limit (whole number)
// Columns: item, title, attribute, weight
// Only attributes that apply where the item stands are asked for.
MATCH (served:KgrankServed {id: 'weights'})
MATCH (top:KgrankCategory {id: $category})-[w:IMPORTANCE]->(a:KgrankAttribute)
WHERE w.version = served.version AND w.weight >= $least
WITH a, w.weight AS weight
MATCH (root:KgrankCategory {id: $category})<-[:SUBCATEGORY_OF*0..30]-(sub:KgrankCategory)
WITH DISTINCT a, weight, sub
MATCH (sub)-[:APPLIES]->(a)
WITH a, weight, sub
MATCH (sub)<-[:IN_CATEGORY]-(i:KgrankItem)
WITH DISTINCT a, weight, i
WHERE NOT EXISTS { MATCH (i)-[:HAS_VALUE]->(:KgrankAttributeValue)-[:OF]->(a) }
RETURN i.id AS item, i.title AS title, a.id AS attribute, weight
ORDER BY weight DESC, attribute, item LIMIT $limit;
