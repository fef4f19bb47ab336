create table profile_changes (
    tenant_id uuid not null,
    profile_id uuid not null,
    field text collate "C" not null,
    position bigint not null,
    version bigint not null,
    constraint profile_changes_key primary key (tenant_id, profile_id, field, position)
);

create index profile_changes_field_idx
    on profile_changes (tenant_id, field, position);
