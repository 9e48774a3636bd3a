// Which of some values items have: a load keeps these, though the ontology no longer names them.
// Parameters: $ids (list of ids, not empty)
// Columns: id
UNWIND $ids AS id
MATCH (n:KgrankAttributeValue {id: id})<-[:HAS_VALUE|OFFERED]-(i:KgrankItem)
RETURN DISTINCT n.id AS id;
