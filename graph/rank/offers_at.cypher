// What an item was offered at then: its price, promotions and whatever else changes over time.
// Parameters: $item (id), $time (seconds since 1970)
// Columns: value, number, place, start, stop, observed
// One row an attribute and place, the offer that began last first; `place` is null where it held everywhere. What an
// event itself had is the offer that it names: WHERE o.id = e.offer, of (:User)-[e:INTERACTED]->(:Item)-[o:OFFERED]->.
MATCH (i:KgrankItem {id: $item})-[o:OFFERED]->(v:KgrankAttributeValue)
WHERE o.start <= $time AND $time < o.stop
RETURN v.id AS value, o.number AS number, o.place AS place, o.start AS start, o.stop AS stop, o.observed AS observed
ORDER BY value, start DESC, place;
