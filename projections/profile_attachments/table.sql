create table profile_attachments (
    tenant_id uuid not null,
    id uuid not null,
    version bigint not null,
    attachments json not null,
    digests bytea[] not null,
    constraint profile_attachments_id_key primary key (tenant_id, id)
);

create index profile_attachments_digests_idx
    on profile_attachments using gin (digests);
