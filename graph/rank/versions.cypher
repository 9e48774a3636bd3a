// The versions of the learned weights, without what they say.
// Parameters: none
// Columns: version, created, ontology, served
// `ontology` is the fingerprint of the ontology that a version belongs to; `served` tells which one ranks.
MATCH (w:KgrankWeights)
OPTIONAL MATCH (s:KgrankServed {id: 'weights'}) WHERE s.version = w.id
RETURN w.id AS version, w.created AS created, w.ontology AS ontology, s.version IS NOT NULL AS served
ORDER BY created DESC, version DESC;
