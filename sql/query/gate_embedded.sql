-- gate_embedded: the sources that have rows without an embedding.
-- rows: entity_type text, missing text; none when the gate is open
select m.entity_type, m.missing::text
from strata.missing_embeddings() m
where m.missing > 0
order by m.entity_type
