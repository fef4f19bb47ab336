create table profile_counts (
    tenant_id uuid not null,
    dimension text not null,
    key text not null,
    profiles bigint not null,
    constraint profile_counts_key_key primary key (tenant_id, dimension, key)
);
