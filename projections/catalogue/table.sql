create table catalogue (
    tenant_id uuid not null,
    id uuid not null,
    version bigint not null,
    kind text not null,
    key text not null,
    entry json not null,
    constraint catalogue_id_key primary key (tenant_id, id)
);
