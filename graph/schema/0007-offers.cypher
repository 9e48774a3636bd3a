// What items cost, when and where: the offers that hold at a time are found without reading the others.
CREATE INDEX kgrank_offered_start IF NOT EXISTS FOR ()-[r:OFFERED]-() ON (r.start);
