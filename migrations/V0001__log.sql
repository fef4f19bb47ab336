-- Why: the log of events, which everything else is folded from, and what its appends must respect.

create schema log;
create schema ops;
create schema views;

create table log.events (
    position bigint not null,
    event_id uuid not null,
    tenant_id uuid not null,
    area text not null,
    stream_id uuid not null,
    version bigint not null,
    name text not null,
    schema_version smallint not null,
    recorded_at timestamptz not null,
    occurred_at timestamptz not null,
    request_id uuid not null,
    correlation_id uuid not null,
    session_id uuid,
    real_actor_kind text not null,
    real_actor_id uuid not null,
    real_actor_name text,
    effective_actor_id uuid not null,
    emulation uuid[],
    grant_id uuid,
    operation text not null,
    channel text not null,
    face text not null,
    client_address text,
    user_agent text,
    reason text,
    payload json not null,
    constraint events_position_key primary key (position),
    constraint events_version_check check (version > 0)
);

comment on table log.events is
    'Every change there ever was, in commit order. Kept for ever; only ever inserted into.';
comment on column log.events.position is
    'Global, gap-free, in commit order. Never leaves the server as a number.';
comment on column log.events.emulation is
    'The profiles acted as, outermost first; null when nobody was.';

create unique index events_stream_version_key
    on log.events (tenant_id, area, stream_id, version);

create index events_tenant_position_idx
    on log.events (tenant_id, position);

-- Events that became true at another time than they were recorded: a few, mostly imported.
create index events_dated_back_idx
    on log.events (tenant_id, area, stream_id, version)
    where occurred_at <> recorded_at;

-- An order of inserts alone would let a row be written over: no one may, whatever their role.
create function log.refuse_change() returns trigger
language plpgsql as $$
begin
    raise exception 'the log is never changed' using errcode = 'DOS02';
end
$$;

create trigger events_never_change
    before update or delete on log.events
    for each row execute function log.refuse_change();

create trigger events_never_truncated
    before truncate on log.events
    for each statement execute function log.refuse_change();

create table log.claims (
    claim uuid not null,
    kind text not null,
    tenant_id uuid not null,
    holder uuid not null,
    expires_at timestamptz,
    constraint claims_claim_key primary key (claim)
);

comment on table log.claims is
    'What only one may hold at a time: log-in e-mails, names of tenants, API keys, idempotency '
    'keys, import lines, sessions. The claim is a 16-byte hash. Those with expires_at are '
    'removed some time after it.';

create index claims_expires_at_idx
    on log.claims (expires_at)
    where expires_at is not null;

create index claims_listed_idx
    on log.claims (kind, tenant_id)
    where kind in ('tenant_name', 'api_key_name', 'access_token');

-- Fails when any of these streams is not at the version that an append stands on. Called inside
-- the append's own transaction, under the lock, so that nothing moves between check and commit.
create function log.require_versions(
    tenant_ids uuid[],
    areas text[],
    stream_ids uuid[],
    versions bigint[]
) returns void
language plpgsql as $$
begin
    if exists (
        select 1
        from unnest(tenant_ids, areas, stream_ids, versions)
            as required (tenant_id, area, stream_id, version)
        where required.version <> coalesce(
            (
                select events.version
                from log.events
                where events.tenant_id = required.tenant_id
                    and events.area = required.area
                    and events.stream_id = required.stream_id
                order by events.version desc
                limit 1
            ),
            0
        )
    ) then
        raise exception 'a stream has moved' using errcode = 'DOS01';
    end if;
end
$$;

-- The head of the log; fails if the log ends before what the process that appends has seen of it.
create function log.require_head(head bigint, seen bigint) returns bigint
language plpgsql as $$
begin
    if head < seen then
        raise exception 'the log went back' using errcode = 'DOS04';
    end if;
    return head;
end
$$;

-- Which database this is, and which of its histories: restored into another one, rolled back to a
-- point in time or promoted, it is another. Empty where nobody may ask.
create function log.life() returns text
language plpgsql as $$
begin
    return (select system_identifier from pg_control_system())
        || '/' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8);
exception
    when insufficient_privilege or undefined_function or feature_not_supported then
        return '';
end
$$;

-- Which life of the log this is: the highest one. A restore from backup begins another, so that
-- tokens from before do not pass for positions that were given out again.
create table log.epoch (
    epoch integer not null,
    life text not null default log.life(),
    started_at timestamptz not null default clock_timestamp(),
    constraint epoch_epoch_key primary key (epoch)
);

insert into log.epoch (epoch) values (1);

-- The first position recorded at or after a time; one past the head if there is none. Times never
-- decrease with positions, so some thirty probes of the key find it and no index is kept for it.
create function log.first_position_since(since timestamptz) returns bigint
language plpgsql stable as $$
declare
    low bigint := 1;
    high bigint := coalesce((select max(position) from log.events), 0) + 1;
    middle bigint;
begin
    while low < high loop
        middle := (low + high) / 2;
        if (select recorded_at from log.events where position = middle) < since then
            low := middle + 1;
        else
            high := middle;
        end if;
    end loop;
    return low;
end
$$;

-- The last position recorded at or before a time; null if the time is not over yet. An append
-- takes its time before it commits, so without a later event one of this time may be on its way:
-- then this waits for the append that is running, if one is.
create function log.last_position_until(until timestamptz, append_lock bigint) returns bigint
language plpgsql as $$
declare
    newest timestamptz;
begin
    if until >= clock_timestamp() then
        return null;
    end if;
    select recorded_at into newest from log.events order by position desc limit 1;
    if newest is null or newest <= until then
        perform pg_advisory_xact_lock_shared(append_lock);
    end if;
    return log.first_position_since(until + interval '1 microsecond') - 1;
end
$$;

-- How many events of a stream there were up to a position. Versions have no gaps and grow with
-- positions, so some twenty probes of the key find it, however long the stream is.
create function log.version_at(of_tenant uuid, of_area text, of_stream uuid, until bigint)
returns bigint
language plpgsql stable as $$
declare
    low bigint := 0;
    high bigint := coalesce(
        (
            select version
            from log.events
            where tenant_id = of_tenant and area = of_area and stream_id = of_stream
            order by version desc
            limit 1
        ),
        0
    );
    middle bigint;
    found bigint;
begin
    while low < high loop
        middle := (low + high + 1) / 2;
        select position into found
        from log.events
        where tenant_id = of_tenant and area = of_area and stream_id = of_stream
            and version = middle;
        if found <= until then
            low := middle;
        else
            high := middle - 1;
        end if;
    end loop;
    return low;
end
$$;
