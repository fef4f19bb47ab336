create table deadlines (
    tenant_id uuid not null,
    id uuid not null,
    version bigint not null,
    area text not null,
    stream_id uuid not null,
    due_at timestamptz not null,
    subject_id uuid not null,
    grant_ids uuid[] not null,
    grant_targets uuid[] not null,
    grant_ends timestamptz[] not null,
    constraint deadlines_id_key primary key (tenant_id, id)
);

create index deadlines_due_at_idx
    on deadlines (due_at);

create index deadlines_subject_idx
    on deadlines (tenant_id, subject_id);

create index deadlines_emulation_idx
    on deadlines (tenant_id)
    where area = 'emulation';
