// Rules that speak of an attribute and hold in a category or below it: which speak about price below shoes?
// Parameters: $category (id), $attribute (id)
// Columns: rule, kind, sure, hard, sentence, because, creator, categories
// `because` is a JSON object by language; `categories` counts those, from the category down, in which the rule holds.
MATCH (top:KgrankCategory {id: $category})<-[:SUBCATEGORY_OF*0..30]-(sub:KgrankCategory)
WITH DISTINCT sub
MATCH (sub)<-[:HOLDS_IN]-(r:KgrankRule)-[:SPEAKS_OF]->(a:KgrankAttribute {id: $attribute})
RETURN r.id AS rule, r.kind AS kind, r.sure AS sure, r.hard AS hard, r.sentence AS sentence, r.because AS because,
       r.creator AS creator, count(*) AS categories
ORDER BY rule;
