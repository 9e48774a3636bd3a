// Brands that are strong in what matters in a category and all below it, whatever their name is worth.
// Parameters: $category (id), $least (fewest items that count), $limit (whole number)
// Columns: brand, name, items, score
// `score` is the average attribute score of the brand's items without the contribution of the brand itself.
// On Neo4j, rank/neo4j/strong_brands.cypher answers the same sooner.
MATCH (served:KgrankServed {id: 'weights'})
MATCH (top:KgrankCategory {id: $category})<-[:SUBCATEGORY_OF*0..30]-(sub:KgrankCategory)
WITH DISTINCT served.version AS version, sub
MATCH (sub)<-[:IN_CATEGORY]-(i:KgrankItem)
WITH DISTINCT version, i
OPTIONAL MATCH (i)-[h:HAS_VALUE]->(v:KgrankAttributeValue)
OPTIONAL MATCH (v)<-[u:UTILITY]-(c:KgrankCategory {id: $category})
WITH i, sum(CASE WHEN u.version = version AND h.number >= u.low AND h.number < u.high
                      AND NOT v.id STARTS WITH 'brand='
                 THEN u.intercept + u.slope * h.number ELSE 0.0 END) AS total
MATCH (i)-[:MADE_BY]->(b:KgrankBrand)
WITH b.id AS brand, b.name AS name, count(*) AS items, avg(total) AS mean
WHERE items >= $least
RETURN brand, name, items, round(mean, 9) AS score
ORDER BY score DESC, brand LIMIT $limit;
