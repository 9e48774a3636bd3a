// How many items there are.
// Parameters: none
// Columns: items
MATCH (i:KgrankItem)
RETURN count(i) AS items;
