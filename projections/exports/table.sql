create table exports (
    tenant_id uuid not null,
    id uuid not null,
    version bigint not null,
    owner_id uuid not null,
    file_name text not null,
    row_count bigint not null,
    made_at timestamptz not null,
    downloads bigint not null,
    constraint exports_id_key primary key (tenant_id, id)
);
