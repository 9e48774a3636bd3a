// Which version of the weights is served, and when the last load ended: what changes when something is written.
// Parameters: none
// Columns: version, loaded
MATCH (s:KgrankServed {id: 'weights'})
OPTIONAL MATCH (l:KgrankLoaded)
RETURN s.version AS version, max(l.written) AS loaded;
