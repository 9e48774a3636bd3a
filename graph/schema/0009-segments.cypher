// Groups of shoppers, and who is in them: (:User)-[:IN_SEGMENT]->(:Segment).
CREATE CONSTRAINT kgrank_segment_id IF NOT EXISTS FOR (n:KgrankSegment) REQUIRE n.id IS UNIQUE;
