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

create table ops.credentials (
    tenant_id uuid not null,
    profile_id uuid not null,
    password text not null,
    constraint credentials_profile_id_key primary key (tenant_id, profile_id)
);

comment on table ops.credentials is
    'Argon2id hash of each profile''s password, written with the event that changes it; hashes '
    'taken over from elsewhere are replaced at the next log-in. Kept as long as the profile.';

create table ops.sealed_secrets (
    tenant_id uuid not null,
    holder uuid not null,
    sealed bytea not null,
    constraint sealed_secrets_holder_key primary key (tenant_id, holder)
);

comment on table ops.sealed_secrets is
    'Secrets that must be shown again, sealed under a key that is not in this database: ids of '
    'access tokens, tokens of remembered log-ins. Written with the event that makes them. Kept as '
    'long as what they belong to.';

create table ops.sealing_keys (
    key_id text not null,
    first_used_at timestamptz not null default clock_timestamp(),
    constraint sealing_keys_key_id_key primary key (key_id)
);

comment on table ops.sealing_keys is
    'The keys that may have sealed something here, by the first bytes of their digests: a server '
    'that has not all of them does not start. Never a key itself. Kept until an operator gives a '
    'key up.';

create table ops.ticket_times (
    tenant_id uuid not null,
    ticket_id uuid not null,
    last_request_at timestamptz not null,
    constraint ticket_times_ticket_id_key primary key (ticket_id)
);

comment on table ops.ticket_times is
    'When each ticket was last used: written with the event that issues it, then every few '
    'seconds. A crash loses the last of these seconds: a ticket may then end so much sooner. '
    'Kept until the ticket ends.';

create index ticket_times_last_request_idx
    on ops.ticket_times (last_request_at);

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

create table ops.walks (
    position bigint not null,
    tenant_id uuid not null,
    after_profile_id uuid not null,
    constraint walks_position_key primary key (position)
);

comment on table ops.walks is
    'Events of tenants that mean something for all their profiles, by position, and the last '
    'profile for which that was done. Kept until it is done for all. A crash may set it back: '
    'nothing is done twice.';

-- How far each reaction has read the log.
create table ops.reactions (
    reaction text not null,
    position bigint not null,
    constraint reactions_reaction_key primary key (reaction)
);

comment on table ops.reactions is
    'Up to where the log has been reacted to. Kept for ever. A crash may set it back: reactions '
    'are ordinary commands that do nothing the second time.';
create table ops.mail_outbox (
    mail_id uuid not null,
    tenant_id uuid not null,
    kind text not null,
    recipient text not null,
    sealed_link bytea not null,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    attempts integer not null,
    next_attempt_at timestamptz not null,
    last_error text,
    constraint mail_outbox_mail_id_key primary key (mail_id),
    constraint mail_outbox_last_error_check check (char_length(last_error) <= 200)
);

comment on table ops.mail_outbox is
    'E-mails still to be sent, written with the events that they follow from. A row goes when its '
    'mail was handed over, was refused for good or holds a link that no longer works; the link is '
    'a secret, sealed under a key that is not in this database. A crash loses nothing: it may send '
    'again a mail that was just sent.';

comment on column ops.mail_outbox.next_attempt_at is
    'When the mail is due. Whoever takes it in hand first moves this on: that is the lease.';

create index mail_outbox_next_attempt_at_idx
    on ops.mail_outbox (next_attempt_at);
