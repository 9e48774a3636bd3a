// Which of some categories have items: a load keeps these, though the ontology no longer names them.
// Parameters: $ids (list of ids, not empty)
// Columns: id
UNWIND $ids AS id
MATCH (n:KgrankCategory {id: id})<-[:IN_CATEGORY]-(i:KgrankItem)
RETURN DISTINCT n.id AS id;
