// One version of the weights is found, and replaced, without reading the others.
CREATE INDEX kgrank_importance_version IF NOT EXISTS FOR ()-[r:IMPORTANCE]-() ON (r.version);
CREATE INDEX kgrank_utility_version IF NOT EXISTS FOR ()-[r:UTILITY]-() ON (r.version);
CREATE INDEX kgrank_goes_after_version IF NOT EXISTS FOR ()-[r:GOES_AFTER]-() ON (r.version);
CREATE INDEX kgrank_ranked_version IF NOT EXISTS FOR ()-[r:RANKED]-() ON (r.version);
