// Which of some categories have items: a load keeps these, though the ontology no longer names them.
// Parameters: $ids (list of ids, not empty)
// Columns: id
UNWIND $ids AS id
MATCH (n:Category {id: id})<-[:IN_CATEGORY]-(i:Item)
RETURN DISTINCT n.id AS id;
