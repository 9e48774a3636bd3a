// Weights keep what the choices alone say of every category; those of before have nothing of it.
MATCH (w:KgrankWeights) WHERE w.posteriors IS NULL SET w.posteriors = '';
