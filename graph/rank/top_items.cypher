// The items of a category and all below it, by the attribute score of the served weights.
// Parameters: $category (id), $limit (whole number)
// Columns: id, title, score
// A missing value counts 0. Equal scores stand in the order of their ids.
MATCH (served:Served {id: 'weights'})
MATCH (top:Category {id: $category})<-[:SUBCATEGORY_OF*0..30]-(sub:Category)
WITH DISTINCT served.version AS version, sub
MATCH (sub)<-[:IN_CATEGORY]-(i:Item)
WITH DISTINCT version, i
OPTIONAL MATCH (i)-[h:HAS_VALUE]->(v:AttributeValue)<-[u:UTILITY]-(c:Category {id: $category})
WHERE u.version = version AND h.number >= u.low AND h.number < u.high
WITH i.id AS id, i.title AS title, coalesce(sum(u.intercept + u.slope * h.number), 0.0) AS total
RETURN id, title, round(total, 9) AS score
ORDER BY score DESC, id LIMIT $limit;
