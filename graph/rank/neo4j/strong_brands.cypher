// Brands that are strong in what matters in a category and all below it, whatever their name is worth.
// Parameters: $category (id), $least (fewest items that count), $limit (whole number)
// Columns: brand, name, items, score
// The answer of rank/strong_brands.cypher, in the two parts of rank/neo4j/top_items.cypher.
MATCH (top:KgrankCategory {id: $category})<-[:SUBCATEGORY_OF*0..30]-(below:KgrankCategory)
WITH collect(DISTINCT below.id) AS categories
CALL (categories) {
  MATCH (served:KgrankServed {id: 'weights'})
  MATCH (c:KgrankCategory {id: $category})-[u:UTILITY]->(v:KgrankAttributeValue)<-[h:HAS_VALUE]-(i:KgrankItem)
  MATCH (i)-[:IN_CATEGORY]->(sub:KgrankCategory)
  WHERE sub.id IN categories AND u.version = served.version AND h.number >= u.low AND h.number < u.high
    AND NOT v.id STARTS WITH 'brand='
  RETURN i, sum(u.intercept + u.slope * h.number) / count(DISTINCT sub) AS part
  UNION ALL
  MATCH (i:KgrankItem)-[:IN_CATEGORY]->(sub:KgrankCategory)
  WHERE sub.id IN categories
  RETURN i, 0.0 AS part
}
WITH i, sum(part) AS total
MATCH (i)-[:MADE_BY]->(b:KgrankBrand)
WITH b.id AS brand, b.name AS name, count(*) AS items, avg(total) AS mean
WHERE items >= $least
RETURN brand, name, items, round(mean, 9) AS score
ORDER BY score DESC, brand LIMIT $limit;
