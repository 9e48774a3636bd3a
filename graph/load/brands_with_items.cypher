// Which of some brands have items: a load keeps these, though the ontology no longer names them.
// Parameters: $ids (list of ids, not empty)
// Columns: id
UNWIND $ids AS id
MATCH (n:Brand {id: id})<-[:MADE_BY]-(i:Item)
RETURN DISTINCT n.id AS id;
