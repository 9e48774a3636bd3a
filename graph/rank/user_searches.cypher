// What one shopper searched for: evidence of their own tastes where it names values.
// Parameters: $user (id)
// Columns: id, category, time, session, list, query
MATCH (u:KgrankUser {id: $user})-[e:SEARCHED]->(c:KgrankCategory)
RETURN e.id AS id, c.id AS category, e.time AS time, e.session AS session, e.list AS list, e.query AS query
ORDER BY time, id;
