create table profile_documents (
    tenant_id uuid not null,
    id uuid not null,
    object_id uuid not null,
    version bigint not null,
    ordinal bigint not null,
    username text not null collate "C",
    email text collate "C",
    verified boolean not null,
    enabled boolean not null,
    created_on bigint not null,
    last_modified bigint not null,
    document jsonb not null,
    constraint profile_documents_id_key primary key (tenant_id, id)
);

-- Leaves room on each page for a row of which only times change, as at each log-in: such a change
-- touches no index.
alter table profile_documents set (fillfactor = 90);

-- Finds profiles by the ids that callers see.
create index profile_documents_object_id_idx on profile_documents (object_id);

-- Storage order: the order of lists that are not sorted.
create index profile_documents_ordinal_idx on profile_documents (tenant_id, ordinal);

-- Finds a profile by its name, and sorts lists by it.
create index profile_documents_username_idx on profile_documents (tenant_id, username);

-- Finds equal roles and attributes at any depth, and which attributes there are.
create index profile_documents_document_idx on profile_documents
using gin (document jsonb_path_ops);

-- Finds parts of names and addresses by regular expression, and whole addresses.
create index profile_documents_text_idx on profile_documents
using gin (username gin_trgm_ops, email gin_trgm_ops);
