create table shared_values (
    tenant_id uuid not null,
    id uuid not null,
    kind text not null,
    value text not null,
    constraint shared_values_id_key primary key (tenant_id, id)
);

create index shared_values_request_limit_idx
    on shared_values (tenant_id, id)
    where kind = 'request_limit';
