// How many items are in no category: a load that was cut short leaves some.
// Parameters: none
// Columns: items
MATCH (i:KgrankItem)
WHERE NOT EXISTS { MATCH (i)-[:IN_CATEGORY]->(:KgrankCategory) }
RETURN count(i) AS items;
