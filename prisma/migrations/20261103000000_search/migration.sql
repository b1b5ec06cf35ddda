-- Search by substrings. Under row-level security no index serves LIKE (it is not leakproof), so a SECURITY DEFINER
-- function finds the ids, for the tenant of the claims alone; whoever calls it joins them again under its own policies.

do $$ begin
    create role tenantry_search nologin nosuperuser nobypassrls nocreatedb nocreaterole;
exception when duplicate_object or unique_violation then null; end $$;

-- Who migrates without being a superuser has to be a member of a role to give something to it.
do $$ begin
    if not (select rolsuper from pg_roles where rolname = current_user) then
        execute format('grant tenantry_search to %I', current_user);
    end if;
end $$;

-- The role sees the column that is searched, and what tells records apart; nothing of what they hold.
grant usage on schema public to tenantry_search;
grant select ("tenant_id", "entity_id", "id", "search") on "records" to tenantry_search;
-- A policy that is plainly true leaves no barrier behind, so the index may serve LIKE.
create policy "search" on "records" for select to tenantry_search using (true);

-- Trigrams find substrings; the tenant and entity within the same index keep a common word of others out of the way.
-- Without the extensions the function reads the entity's records: slower, and the same answer.
do $$
declare
    v_schema text;
begin
    create extension if not exists pg_trgm;
    create extension if not exists btree_gin;
    select n.nspname into v_schema from pg_extension e join pg_namespace n on n.oid = e.extnamespace where e.extname = 'pg_trgm';
    execute format('create index "records_search" on "records" using gin ("tenant_id", "entity_id", "search" %I.gin_trgm_ops) where "search" is not null', v_schema);
exception when undefined_file or feature_not_supported or insufficient_privilege or undefined_object then
    raise notice 'search works without an index: %', sqlerrm;
end $$;

-- Ids of the entity's records whose search text contains every one of the words, deleted ones included. Words are folded
-- as the search text is. The text of the statement depends on how many words there are, and on nothing that was given.
create function search_records(p_entity_id uuid, p_words text[]) returns setof uuid
    language plpgsql stable security definer rows 100
    set search_path = pg_catalog, pg_temp
    as $$
declare
    v_tenant uuid := public.current_tenant_id();
    v_patterns text[];
    v_conditions text;
begin
    if v_tenant is null or coalesce(pg_catalog.cardinality(p_words), 0) = 0 then
        return;
    end if;
    select pg_catalog.array_agg('%' || pg_catalog.replace(pg_catalog.replace(pg_catalog.replace(w.word, E'\\', E'\\\\'), '%', E'\\%'), '_', E'\\_') || '%' order by w.n)
        into v_patterns from pg_catalog.unnest(p_words) with ordinality as w (word, n);
    select pg_catalog.string_agg(pg_catalog.format(' and r.search like $3[%s]', n), '')
        into v_conditions from pg_catalog.generate_series(1, pg_catalog.cardinality(v_patterns)) as n;
    return query execute 'select r.id from public.records r where r.tenant_id = $1 and r.entity_id = $2 and r.search is not null' || v_conditions
        using v_tenant, p_entity_id, v_patterns;
end $$;
revoke all on function search_records(uuid, text[]) from public;
grant execute on function search_records(uuid, text[]) to tenantry_app;

-- How well a search text answers: for each word 3 where it stands as a word, 2 where a word begins with it, else 1.
-- What parts words is listed here, so that it does not depend on the database's locale.
create function search_rank(p_search text, p_words text[]) returns integer
    language plpgsql immutable parallel safe
    set search_path = pg_catalog, pg_temp
    as $$
declare
    v_separators constant text := E'\n\t\r.,;:!?()[]{}<>"''`/\\|-_+*=@#&~^$%\u2010\u2011\u2012\u2013\u2014\u2026\u2018\u2019\u201c\u201d\u00ab\u00bb\u3001\u3002\u300c\u300d\u30fb';
    v_spaces constant text := pg_catalog.repeat(' ', pg_catalog.length(v_separators));
    v_text text := ' ' || pg_catalog.translate(p_search, v_separators, v_spaces) || ' ';
    v_word text;
    v_rank integer := 0;
begin
    foreach v_word in array p_words loop
        v_word := ' ' || pg_catalog.translate(v_word, v_separators, v_spaces);
        v_rank := v_rank + case
            when pg_catalog.strpos(v_text, v_word || ' ') > 0 then 3
            when pg_catalog.strpos(v_text, v_word) > 0 then 2
            else 1 end;
    end loop;
    return v_rank;
end $$;

-- The owner may create in the schema for as long as it takes to be given the function.
grant create on schema public to tenantry_search;
alter function search_records(uuid, text[]) owner to tenantry_search;
revoke create on schema public from tenantry_search;
