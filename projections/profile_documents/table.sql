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

-- Room on each page for a row whose times change and nothing that is indexed, which happens at
-- each log-in: such a change then touches no index.
alter table profile_documents set (fillfactor = 90);

-- Profiles by the ids that callers are shown, one and many.
create index profile_documents_object_id_idx on profile_documents (object_id);

-- Storage order, which lists have unless they are sorted.
create index profile_documents_ordinal_idx on profile_documents (tenant_id, ordinal);

-- A profile by its name, and lists sorted by it.
create index profile_documents_username_idx on profile_documents (tenant_id, username);

-- Equality on roles and attributes at any depth, and which attributes there are.
create index profile_documents_document_idx on profile_documents
using gin (document jsonb_path_ops);

-- Parts of names and addresses by regular expression, and whole addresses.
create index profile_documents_text_idx on profile_documents
using gin (username gin_trgm_ops, email gin_trgm_ops);
