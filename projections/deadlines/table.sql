create table deadlines (
    tenant_id uuid not null,
    id uuid not null,
    version bigint not null,
    area text not null,
    stream_id uuid not null,
    due_at timestamptz not null,
    grant_ids uuid[] not null,
    grant_ends timestamptz[] not null,
    constraint deadlines_id_key primary key (tenant_id, id)
);

create index deadlines_due_at_idx
    on deadlines (due_at);
