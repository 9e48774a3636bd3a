// One version of the weights is found, and replaced, without reading the others.
CREATE INDEX importance_version IF NOT EXISTS FOR ()-[r:IMPORTANCE]-() ON (r.version);
CREATE INDEX utility_version IF NOT EXISTS FOR ()-[r:UTILITY]-() ON (r.version);
CREATE INDEX goes_after_version IF NOT EXISTS FOR ()-[r:GOES_AFTER]-() ON (r.version);
CREATE INDEX ranked_version IF NOT EXISTS FOR ()-[r:RANKED]-() ON (r.version);
