create table audit_log (
    tenant_id uuid not null,
    position bigint not null,
    stream_id uuid not null,
    name text not null,
    operation text not null,
    real_actor_id uuid not null,
    effective_actor_id uuid not null,
    recorded_at timestamptz not null,
    constraint audit_log_position_key primary key (tenant_id, position)
);

create index audit_log_real_actor_idx
    on audit_log (tenant_id, real_actor_id, position);

create index audit_log_effective_actor_idx
    on audit_log (tenant_id, effective_actor_id, position);

create index audit_log_name_idx
    on audit_log (tenant_id, name, position);

create index audit_log_operation_idx
    on audit_log (tenant_id, operation, position);

create index audit_log_stream_idx
    on audit_log (tenant_id, stream_id, position);
