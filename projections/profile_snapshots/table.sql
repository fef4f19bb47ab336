create table profile_snapshots (
    tenant_id uuid not null,
    profile_id uuid not null,
    version bigint not null,
    position bigint not null,
    past json not null,
    constraint profile_snapshots_key primary key (tenant_id, profile_id, version)
);
