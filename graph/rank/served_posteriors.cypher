// What the choices alone say of every category, kept with the weights that are served.
// Parameters: none
// Columns: version, posteriors
MATCH (served:KgrankServed {id: 'weights'})
MATCH (weights:KgrankWeights) WHERE weights.id = served.version
RETURN weights.id AS version, weights.posteriors AS posteriors;
