create table audit_log (
    tenant_id uuid not null,
    position bigint not null,
    event_id uuid not null,
    area text not null,
    stream_id uuid not null,
    name text not null,
    operation text not null,
    real_actor_id uuid not null,
    effective_actor_id uuid not null,
    middle_actor_ids uuid[],
    grant_id uuid,
    session_id uuid,
    request_id uuid not null,
    correlation_id uuid not null,
    channel text not null,
    face text not null,
    occurred_at timestamptz not null,
    constraint audit_log_position_key primary key (tenant_id, position)
);

create index audit_log_event_idx
    on audit_log (tenant_id, event_id);

create index audit_log_stream_idx
    on audit_log (tenant_id, stream_id, position);

create index audit_log_name_idx
    on audit_log (tenant_id, name, position);

create index audit_log_operation_idx
    on audit_log (tenant_id, operation, position);

create index audit_log_real_actor_idx
    on audit_log (tenant_id, real_actor_id, position);

create index audit_log_effective_actor_idx
    on audit_log (tenant_id, effective_actor_id, position)
    where effective_actor_id <> real_actor_id;

create index audit_log_middle_actors_idx
    on audit_log using gin (middle_actor_ids)
    where middle_actor_ids is not null;

create index audit_log_grant_idx
    on audit_log (tenant_id, grant_id, position)
    where grant_id is not null;

create index audit_log_session_idx
    on audit_log (tenant_id, session_id, position)
    where session_id is not null;

create index audit_log_request_idx
    on audit_log (tenant_id, request_id, position);

create index audit_log_correlation_idx
    on audit_log (tenant_id, correlation_id, position)
    where correlation_id <> request_id;
