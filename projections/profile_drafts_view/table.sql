create table profile_drafts_view (
    tenant_id uuid not null,
    id uuid not null,
    version bigint not null,
    owner_id uuid not null,
    session_id uuid not null,
    group_id uuid not null,
    mcp boolean not null,
    form json not null,
    created_at timestamptz not null,
    saved_at timestamptz not null,
    constraint profile_drafts_view_id_key primary key (tenant_id, id)
);

create index profile_drafts_view_owner_idx
    on profile_drafts_view (tenant_id, owner_id, saved_at desc, id);
