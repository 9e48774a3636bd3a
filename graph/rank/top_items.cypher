// The items of a category and all below it, by the attribute score of the served weights.
// Parameters: $category (id), $limit (whole number)
// Columns: id, title, score
// A missing value counts 0. Equal scores stand in the order of their ids.
// On Neo4j, rank/neo4j/top_items.cypher answers the same sooner.
MATCH (served:KgrankServed {id: 'weights'})
MATCH (top:KgrankCategory {id: $category})<-[:SUBCATEGORY_OF*0..30]-(sub:KgrankCategory)
WITH DISTINCT served.version AS version, sub
MATCH (sub)<-[:IN_CATEGORY]-(i:KgrankItem)
WITH DISTINCT version, i
OPTIONAL MATCH (i)-[h:HAS_VALUE]->(v:KgrankAttributeValue)
OPTIONAL MATCH (v)<-[u:UTILITY]-(c:KgrankCategory {id: $category})
WITH i.id AS id, i.title AS title,
     sum(CASE WHEN u.version = version AND h.number >= u.low AND h.number < u.high
              THEN u.intercept + u.slope * h.number ELSE 0.0 END) AS total
RETURN id, title, round(total, 9) AS score
ORDER BY score DESC, id LIMIT $limit;
