-- source: the tables that search reads, one row for each entity type. Names are text, not oids, so that a dump restores.
-- The key and the tenant are uuid columns. `title_column` may be null; `model_column` and `embedded_at_column` are
-- where the name of the model and the time are kept beside the vector, null where nobody asked for them.
-- `text_search_config` is that under which its words are found, null where they are not; `text_search_column` is a tsvector
-- that holds them, null where they are made of title and content.
-- `vector_column` keeps the vectors; where it is null, the table `store` of the schema strata_vectors does.
-- `hidden_column` keeps a row out of every answer: a boolean that is true, or a date or time that is set.
create table strata.source (
    entity_type        text   primary key check (entity_type <> '' and octet_length(entity_type) <= 40),
    relation_schema    text   not null,
    relation_name      text   not null,
    key_column         text   not null,
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
    model              text   not null references strata.model,
    store              text   check ((store is null) <> (vector_column is null)),
    unique (relation_schema, relation_name, vector_column),
    check (title_column is not null or cardinality(content_columns) > 0),
    check (text_search_column is null or text_search_config is not null)
);
create index source_model on strata.source (model);
