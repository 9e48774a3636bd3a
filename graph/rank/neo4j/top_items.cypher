// The items of a category and all below it, by the attribute score of the served weights.
// Parameters: $category (id), $limit (whole number)
// Columns: id, title, score
// The answer of rank/top_items.cypher. Neo4j joins values with utilities by hashing where both are matched at once,
// which an OPTIONAL MATCH prevents; so items without any learned value come from a second part. An item in several
// of the categories is found once for each.
MATCH (served:KgrankServed {id: 'weights'})
MATCH (top:KgrankCategory {id: $category})<-[:SUBCATEGORY_OF*0..30]-(below:KgrankCategory)
WITH served.version AS version, collect(DISTINCT below.id) AS categories
CALL (version, categories) {
  MATCH (c:KgrankCategory {id: $category})-[u:UTILITY]->(v:KgrankAttributeValue)<-[h:HAS_VALUE]-(i:KgrankItem)
  MATCH (i)-[:IN_CATEGORY]->(sub:KgrankCategory)
  WHERE sub.id IN categories AND u.version = version AND h.number >= u.low AND h.number < u.high
  RETURN i, sum(u.intercept + u.slope * h.number) / count(DISTINCT sub) AS part
  UNION ALL
  MATCH (i:KgrankItem)-[:IN_CATEGORY]->(sub:KgrankCategory)
  WHERE sub.id IN categories
  RETURN i, 0.0 AS part
}
WITH i, sum(part) AS total
WITH i.id AS id, i, round(total, 9) AS score
ORDER BY score DESC, id LIMIT $limit
RETURN id, i.title AS title, score
ORDER BY score DESC, id;
