create table profile_search (
    tenant_id uuid not null,
    id uuid not null,
    version bigint not null,
    name text,
    username text,
    attributes json not null,
    email_keys text[] not null,
    role_keys text[] not null,
    department_ids uuid[] not null,
    active boolean not null,
    constraint profile_search_id_key primary key (tenant_id, id)
);
