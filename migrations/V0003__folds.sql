-- Why: how far each read model has folded the log, and who may fold the next stretch.

-- Parts of texts in read models, found by index. Any owner of a database may make it.
create extension if not exists pg_trgm with schema views;

create table views.folds (
    model text not null,
    from_position bigint not null,
    to_position bigint not null,
    constraint folds_from_position_key primary key (model, from_position),
    constraint folds_range_check check (from_position < to_position)
);

comment on table views.folds is
    'Checkpoint and fence in one. Whoever inserts the stretch that begins where the last one '
    'ended has folded it, in the same transaction; the key lets only one do so. Old stretches '
    'are removed; the last one of each read model stays.';

create table views.mends (
    tenant_id uuid not null,
    generation bigint generated always as identity,
    constraint mends_tenant_id_key primary key (tenant_id)
);

create index mends_generation_idx
    on views.mends (generation);

comment on table views.mends is
    'Whose rows were mended, and the generation of rows that began with it. Whoever folds names '
    'the generation that its rows in memory are of; after a later one it reads them again.';

-- Begins the mending of rows of a read model, in the transaction that mends them. Nobody folds
-- meanwhile, and whoever has loaded rows before will not store them. Fails when a stream that
-- feeds the rows was folded beyond the position that they were judged at.
create function views.begin_mend(
    tenant uuid,
    mended_model text,
    judged_at bigint,
    areas text[],
    stream_ids uuid[]
) returns void
language plpgsql as $$
begin
    perform pg_advisory_xact_lock(hashtext('dossier_mend'));
    if exists (
        select 1
        from unnest(areas, stream_ids) as source (area, stream_id)
        join log.events
            on events.tenant_id = tenant
            and events.area = source.area
            and events.stream_id = source.stream_id
        where events.position > judged_at
            and events.position <= (
                select max(folds.to_position) from views.folds where folds.model = mended_model
            )
    ) then
        raise exception 'folded meanwhile' using errcode = 'DOS03';
    end if;
    delete from views.mends where mends.tenant_id = tenant;
    insert into views.mends (tenant_id) values (tenant);
end
$$;

-- Puts stretches of the log on record as folded. Fails, and with it the transaction that stores
-- the rows, unless each begins exactly where its read model's last one ended, and no rows were
-- mended since the generation that is given.
create function views.extend_folds(
    models text[],
    from_positions bigint[],
    to_positions bigint[],
    known_generation bigint
) returns void
language plpgsql as $$
begin
    -- Held until the rows are stored: a mend comes before all of it or after.
    perform pg_advisory_xact_lock_shared(hashtext('dossier_mend'));
    if exists (select 1 from views.mends where mends.generation > known_generation) then
        raise exception 'mended meanwhile' using errcode = 'DOS03';
    end if;
    insert into views.folds (model, from_position, to_position)
    select * from unnest(models, from_positions, to_positions);
    if exists (
        select 1
        from unnest(models, from_positions) as new (model, from_position)
        where new.from_position <> coalesce(
            (
                -- The last one, by one probe of the key: there may be a thousand before it.
                select folds.to_position
                from views.folds
                where folds.model = new.model
                    and folds.from_position <> new.from_position
                order by folds.from_position desc
                limit 1
            ),
            0
        )
    ) then
        raise exception 'folded by another process' using errcode = 'DOS03';
    end if;
end
$$;

-- Which profiles ever had an attachment with this content. Asked before its bytes are removed: a
-- read model can be made again, bytes cannot.
create index events_attachment_digest_idx
    on log.events (tenant_id, (payload ->> 'digest'))
    where name = 'AttachmentStored';

-- Begins another epoch when the database has begun another life, or when something is known of
-- events that are not in the log: it then went back. Nobody has reacted to what comes instead of
-- them. Runs as the owner, so that every server can do it as it starts; tells the new epoch.
create function log.begin_epoch() returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    before record;
    head bigint;
    known bigint;
begin
    lock table log.epoch in exclusive mode;
    select epoch, life into before from log.epoch order by epoch desc limit 1;
    -- One statement, so one snapshot: others may append, fold and react meanwhile.
    select
        coalesce((select max(position) from log.events), 0),
        greatest(
            (select max(to_position) from views.folds),
            (select max(position) from ops.reactions),
            (select max(position) from ops.walks),
            0
        )
    into head, known;
    if before.life = log.life() and known <= head then
        return null;
    end if;
    insert into log.epoch (epoch) values (before.epoch + 1);
    update ops.reactions set position = head where position > head;
    delete from ops.walks where position > head;
    return before.epoch + 1;
end
$$;
