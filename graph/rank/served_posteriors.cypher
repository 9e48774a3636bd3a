// What the choices alone say of every category, kept with the weights that are served.
// Parameters: none
// Columns: version, posteriors
MATCH (served:Served {id: 'weights'})
MATCH (weights:Weights) WHERE weights.id = served.version
RETURN weights.id AS version, weights.posteriors AS posteriors;
