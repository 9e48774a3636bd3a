// The weights that are served, whole.
// Parameters: none
// Columns: version, document
MATCH (served:Served {id: 'weights'})
MATCH (weights:Weights) WHERE weights.id = served.version
RETURN weights.id AS version, weights.document AS document;
