// The segment at whose mean tastes one shopper starts.
// Parameters: $user (id)
// Columns: id, name
MATCH (u:KgrankUser {id: $user})-[:IN_SEGMENT]->(s:KgrankSegment)
RETURN s.id AS id, s.name AS name
ORDER BY id;
