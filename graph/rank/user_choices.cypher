// What one shopper was shown, looked at and took: the evidence of their own tastes.
// Parameters: $user (id)
// Columns: id, item, kind, time, list, position, value, place, offer
// Events of one `list` were shown or ranked together; `value` is a rating, a quantity or a place; `offer` is what the item was offered at.
MATCH (u:KgrankUser {id: $user})-[e:INTERACTED]->(i:KgrankItem)
RETURN e.id AS id, i.id AS item, e.kind AS kind, e.time AS time, e.list AS list, e.position AS position,
       e.value AS value, e.place AS place, e.offer AS offer
ORDER BY time, id;
