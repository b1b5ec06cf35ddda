-- The event log: what every write appends, in the same transaction, in commit order and without gaps.

create table "events" (
    "tenant_id" uuid not null,
    "seq" bigint not null,
    "at" timestamptz(3) not null default now(),
    "kind" text not null,
    "entity_id" uuid,
    "record_id" uuid,
    "operation" text,
    "changed_fields" text[] not null default '{}',
    "before" jsonb,
    "after" jsonb,
    "actor_kind" text not null,
    "actor_id" uuid,
    "request_id" text,
    primary key ("tenant_id", "seq")
);
create index "events_at" on "events" ("at");

alter table "events" enable row level security;
alter table "events" force row level security;
create policy "own" on "events" to tenantry_app using ("tenant_id" = (select current_tenant_id())) with check ("tenant_id" = (select current_tenant_id()));
create policy "platform" on "events" to tenantry_platform using (true);
grant select, insert on "events" to tenantry_app;
grant select, delete on "events" to tenantry_platform;

-- Appends events to the log of the claims' tenant and returns the last seq. Meant to be a transaction's last statement,
-- in one message with COMMIT: it takes the lock of the tenant's counter row, which orders commits.
--   p_definitions_version  the version under which the writer worked; another one by now raises TN001 (the fence)
--   p_events               [{ kind, entityId, recordId, operation, changedFields, before, after, actorKind, actorId, requestId }]
-- SECURITY INVOKER: row-level security holds inside.
create function append_events(p_definitions_version bigint, p_events jsonb) returns bigint
    language plpgsql as $$
declare
    v_tenant uuid := public.current_tenant_id();
    v_count integer := jsonb_array_length(p_events);
    v_last bigint;
begin
    update public.tenant_heads set seq = seq + v_count
        where tenant_id = v_tenant and definitions_version = p_definitions_version
        returning seq into v_last;
    if v_last is null then
        raise exception 'the definitions changed' using errcode = 'TN001';
    end if;
    insert into public.events (tenant_id, seq, at, kind, entity_id, record_id, operation, changed_fields, before, after, actor_kind, actor_id, request_id)
        select v_tenant, v_last - v_count + e.n, clock_timestamp(), e.v ->> 'kind', (e.v ->> 'entityId')::uuid, (e.v ->> 'recordId')::uuid,
               e.v ->> 'operation',
               array(select jsonb_array_elements_text(e.v -> 'changedFields')),
               nullif(e.v -> 'before', 'null'), nullif(e.v -> 'after', 'null'),
               e.v ->> 'actorKind', (e.v ->> 'actorId')::uuid, e.v ->> 'requestId'
        from jsonb_array_elements(p_events) with ordinality as e (v, n);
    return v_last;
end $$;

-- Raises the definitions' version of the claims' tenant and stands in the same log. Returns the new version.
create function bump_definitions(p_definitions_version bigint, p_event jsonb) returns bigint
    language plpgsql as $$
declare
    v_version bigint;
begin
    update public.tenant_heads
        set definitions_version = definitions_version + 1, changed_xid = pg_current_xact_id()
        where tenant_id = public.current_tenant_id() and definitions_version = p_definitions_version
        returning definitions_version into v_version;
    if v_version is null then
        raise exception 'the definitions changed' using errcode = 'TN001';
    end if;
    perform public.append_events(v_version, jsonb_build_array(p_event));
    return v_version;
end $$;
