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

-- Puts stretches of the log on record as folded. Fails, and with it the transaction that stores
-- the rows, unless each begins exactly where its read model's last one ended.
create function views.extend_folds(
    models text[],
    from_positions bigint[],
    to_positions bigint[]
) returns void
language plpgsql as $$
begin
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
