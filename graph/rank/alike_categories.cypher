// Categories in which much the same matters.
// Parameters: $category (id), $limit (whole number)
// Columns: category, name, overlap
// `overlap` is the part of the decision that both share: 1 where every weight is equal, 0 where none is.
MATCH (served:KgrankServed {id: 'weights'})
MATCH (c:KgrankCategory {id: $category})-[w:IMPORTANCE]->(a:KgrankAttribute)<-[x:IMPORTANCE]-(other:KgrankCategory)
WHERE w.version = served.version AND x.version = served.version AND other.id <> $category
WITH other.id AS category, other.name AS name,
     sum(CASE WHEN w.weight < x.weight THEN w.weight ELSE x.weight END) AS shared
RETURN category, name, round(shared, 9) AS overlap
ORDER BY overlap DESC, category LIMIT $limit;
