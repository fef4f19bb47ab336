-- Why: what commands and requests need and no event may carry: secrets, answers, counters, files.

create table ops.secrets (
    name text not null,
    secret bytea not null,
    created_at timestamptz not null default clock_timestamp(),
    constraint secrets_name_key primary key (name)
);

comment on table ops.secrets is
    'Keys of this installation: of position tokens, of the local issuer, of each tenant''s value '
    'ids. Kept for ever; a crash loses nothing, since each is written before it is first used.';

create table ops.api_key_hashes (
    api_key_id uuid not null,
    tenant_id uuid not null,
    hash bytea not null,
    constraint api_key_hashes_api_key_id_key primary key (api_key_id)
);

comment on table ops.api_key_hashes is
    'SHA-256 of each API key, written with the event that issues it. Kept as long as the log.';

create table ops.idempotent_answers (
    claim uuid not null,
    digest uuid not null,
    status smallint not null,
    headers json not null,
    body text not null,
    expires_at timestamptz not null,
    constraint idempotent_answers_claim_key primary key (claim)
);

comment on table ops.idempotent_answers is
    'The answer to a write that carried Idempotency-Key, written with its events. Kept 24 hours.';

create index idempotent_answers_expires_at_idx
    on ops.idempotent_answers (expires_at);

create table ops.request_counters (
    tenant_id uuid not null,
    profile_id uuid not null,
    day date not null,
    leased integer not null,
    leased_before integer not null,
    constraint request_counters_day_key primary key (tenant_id, profile_id, day)
);

comment on table ops.request_counters is
    'Requests leased by each profile per UTC day. Kept a week. A crash loses the unused part of '
    'each block that was leased: a profile is then allowed fewer, never more.';

create index request_counters_expiry_idx
    on ops.request_counters (day);

create table ops.export_files (
    export_id uuid not null,
    tenant_id uuid not null,
    content bytea not null,
    expires_at timestamptz not null,
    constraint export_files_export_id_key primary key (export_id)
);

comment on table ops.export_files is
    'The files of exports, written just before the event that makes them known. Kept 24 hours.';

-- Parts of a file are read on their own, which compression would not allow.
alter table ops.export_files alter column content set storage external;

create index export_files_expires_at_idx
    on ops.export_files (expires_at);

-- How far each reaction has read the log.
create table ops.reactions (
    reaction text not null,
    position bigint not null,
    constraint reactions_reaction_key primary key (reaction)
);

comment on table ops.reactions is
    'Up to where the log has been reacted to. Kept for ever. A crash may set it back: reactions '
    'are ordinary commands that do nothing the second time.';
