create table profile_holdings (
    tenant_id uuid not null,
    profile_id uuid not null,
    kind text collate "C" not null,
    key text collate "C" not null,
    position bigint not null,
    holds boolean not null,
    constraint profile_holdings_key primary key (tenant_id, profile_id, kind, key, position)
);

create index profile_holdings_profiles_idx
    on profile_holdings (tenant_id, kind, key, profile_id, position desc) include (holds);

create index profile_holdings_positions_idx
    on profile_holdings (tenant_id, kind, key, position) include (profile_id, holds);
