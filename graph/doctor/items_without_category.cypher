// How many items are in no category: a load that was cut short leaves some.
// Parameters: none
// Columns: items
MATCH (i:Item)
WHERE NOT EXISTS { MATCH (i)-[:IN_CATEGORY]->(:Category) }
RETURN count(i) AS items;
