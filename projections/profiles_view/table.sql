create table profiles_view (
    tenant_id uuid not null,
    id uuid not null,
    version bigint not null,
    name_id uuid,
    name text,
    email_ids uuid[] not null,
    emails text[] not null,
    role_keys text[] not null,
    department_ids uuid[] not null,
    request_limit_id uuid,
    requests_per_day integer,
    active boolean not null,
    attributes json not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    constraint profiles_view_id_key primary key (tenant_id, id)
);
