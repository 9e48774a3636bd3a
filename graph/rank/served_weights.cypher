// The weights that are served, whole.
// Parameters: none
// Columns: version, document
MATCH (served:KgrankServed {id: 'weights'})
MATCH (weights:KgrankWeights) WHERE weights.id = served.version
RETURN weights.id AS version, weights.document AS document;
