with head as materialized (
    select
        log.require_head(coalesce(last.position, 0), $25::bigint) as position,
        greatest(clock_timestamp(), last.recorded_at) as recorded_at
    from (values (1)) as always (one)
    left join (
        select position, recorded_at
        from log.events
        order by position desc
        limit 1
    ) as last on true
),
inserted as (
    insert into log.events (
        position,
        event_id,
        tenant_id,
        area,
        stream_id,
        version,
        name,
        schema_version,
        recorded_at,
        occurred_at,
        payload,
        request_id,
        correlation_id,
        session_id,
        real_actor_kind,
        real_actor_id,
        real_actor_name,
        effective_actor_id,
        emulation,
        grant_id,
        operation,
        channel,
        face,
        client_address,
        user_agent,
        reason
    )
    select
        head.position + new.ordinal,
        new.event_id,
        new.tenant_id,
        new.area,
        new.stream_id,
        new.version,
        new.name,
        new.schema_version,
        head.recorded_at,
        coalesce(new.occurred_at, head.recorded_at),
        new.payload::json,
        new.request_id,
        new.correlation_id,
        new.session_id,
        new.real_actor_kind,
        new.real_actor_id,
        new.real_actor_name,
        new.effective_actor_id,
        new.emulation::uuid[],
        new.grant_id,
        new.operation,
        new.channel,
        new.face,
        new.client_address,
        new.user_agent,
        new.reason
    from unnest(
        $1::uuid[],
        $2::uuid[],
        $3::text[],
        $4::uuid[],
        $5::bigint[],
        $6::text[],
        $7::smallint[],
        $8::timestamptz[],
        $9::text[],
        $10::uuid[],
        $11::uuid[],
        $12::uuid[],
        $13::text[],
        $14::uuid[],
        $15::text[],
        $16::uuid[],
        $17::text[],
        $18::uuid[],
        $19::text[],
        $20::text[],
        $21::text[],
        $22::text[],
        $23::text[],
        $24::text[]
    ) with ordinality as new (
        event_id,
        tenant_id,
        area,
        stream_id,
        version,
        name,
        schema_version,
        occurred_at,
        payload,
        request_id,
        correlation_id,
        session_id,
        real_actor_kind,
        real_actor_id,
        real_actor_name,
        effective_actor_id,
        emulation,
        grant_id,
        operation,
        channel,
        face,
        client_address,
        user_agent,
        reason,
        ordinal
    )
    cross join head
)
select position + 1 as first_position, recorded_at
from head
