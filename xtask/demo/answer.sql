select entity_type, coalesce(title, '') as title, round(similarity::numeric, 3) as similarity,
       left(regexp_replace(content, '\s+', ' ', 'g'), 76) as snippet
from rag_search(
    (select embedding from demo.question where asked = :'asked'),
    (select id from auth.users where email = :'email'),
    5);
