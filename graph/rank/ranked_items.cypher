// The first items of a category as they were written with the served weights, with what adds up to each score.
// Parameters: $category (id), $limit (whole number)
// Columns: position, id, title, score, contributions
// `position` counts from 0; `contributions` is a JSON object. Nothing is found until a ranking has been written:
// kgrank weights serve --ranked 200.
MATCH (served:KgrankServed {id: 'weights'})
MATCH (c:KgrankCategory {id: $category})-[r:RANKED]->(i:KgrankItem)
WHERE r.version = served.version AND r.position < $limit
RETURN r.position AS position, i.id AS id, i.title AS title, r.score AS score, r.contributions AS contributions
ORDER BY position;
