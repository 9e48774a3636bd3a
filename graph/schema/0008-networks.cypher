// Weights may have a network of people's liking of items; those of before have none.
MATCH (w:KgrankWeights) WHERE w.network IS NULL SET w.network = '';
