// Which of some brands have items: a load keeps these, though the ontology no longer names them.
// Parameters: $ids (list of ids, not empty)
// Columns: id
UNWIND $ids AS id
MATCH (n:KgrankBrand {id: id})<-[:MADE_BY]-(i:KgrankItem)
RETURN DISTINCT n.id AS id;
