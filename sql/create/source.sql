-- source: the tables that search reads, one row for each entity type. Names are text, not oids, so that a dump restores.
-- Key, tenant and organisation are of type uuid, bigint (int, smallint) or text (varchar). Where the embeddings have a table of
-- their own, `vectors_schema` and `vectors_name` name it, `vectors_key_column` the row's key in it, `vectors_type_column` the
-- entity type, null where it holds those of this source alone. `queued`: changes of the text queue jobs; not where
-- the embeddings have a table of their own. `key_type`: what the key was when the source was added; what rows are called follows from it. `title_column` may be null; `model_column` and `embedded_at_column` are
-- where the name of the model and the time are kept beside the vector, null where nobody asked for them.
-- `text_search_config` is that under which its words are found, null where they are not; `text_search_column` is a tsvector
-- that holds them, null where they are made of title and content.
-- `vector_column` keeps the vectors; where it is null, the table `store` of the schema strata_vectors does.
-- `chunk_tokens`: a text that has more is embedded in parts of at most so many tokens, of which each begins with up to
-- `chunk_overlap` of the one before; null: as a whole. `chunked`: there may be rows with several vectors.
-- `hidden_column` keeps a row out of every answer: a boolean that is true, or a date or time that is set.
create table strata.source (
    entity_type        text   primary key check (entity_type <> '' and octet_length(entity_type) <= 40),
    relation_schema    text   not null,
    relation_name      text   not null,
    key_column         text   not null,
    key_type           text   not null default 'uuid' check (key_type in ('uuid', 'bigint', 'text')),
    tenant_column      text   not null,
    title_column       text,
    content_columns    text[] not null,
    created_at_column  text   not null,
    metadata_columns   text[] not null default '{}',
    vector_column      text,
    model_column       text,
    embedded_at_column text,
    hidden_column      text,
    text_search_config text,
    text_search_column text,
    organisation_column text,
    vectors_schema     text,
    vectors_name       text,
    vectors_key_column text,
    vectors_type_column text,
    queued             boolean not null default true,
    model              text   not null references strata.model,
    store              text   check ((store is null) <> (vector_column is null)),
    chunk_tokens       int    check (chunk_tokens > 0),
    chunk_overlap      int    not null default 0 check (chunk_overlap >= 0 and chunk_overlap < coalesce(chunk_tokens, 1)),
    chunked            boolean not null default false,
    unique (relation_schema, relation_name, vector_column),
    check (title_column is not null or cardinality(content_columns) > 0),
    check (text_search_column is null or text_search_config is not null),
    check ((vectors_name is null) = (vectors_schema is null) and (vectors_name is null) = (vectors_key_column is null))
);
create index source_model on strata.source (model);
