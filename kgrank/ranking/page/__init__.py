"""One page of a ranking: query, filters, scores, re-ranking, answer."""
