// How many items there are.
// Parameters: none
// Columns: items
MATCH (i:Item)
RETURN count(i) AS items;
