-- Trigrams of any script. Where the database's LC_CTYPE is C, pg_trgm takes letters beyond ASCII for separators and finds
-- no trigrams in them; so what is indexed is the text's bytes, those beyond ASCII as three digits each. A text that
-- contains a word then also contains the word's key, and the text itself decides.
create function search_key(p_text text) returns text
    language sql immutable strict parallel safe
    return pg_catalog.replace(pg_catalog.encode(pg_catalog.convert_to(p_text, 'UTF8'), 'escape'), E'\\', '');

drop index if exists "records_search";
do $$
declare
    v_schema text;
begin
    create extension if not exists pg_trgm;
    create extension if not exists btree_gin;
    select n.nspname into v_schema from pg_extension e join pg_namespace n on n.oid = e.extnamespace where e.extname = 'pg_trgm';
    execute format('create index "records_search" on "records" using gin ("tenant_id", "entity_id", search_key("search") %I.gin_trgm_ops) where "search" is not null', v_schema);
exception when undefined_file or feature_not_supported or insufficient_privilege or undefined_object then
    raise notice 'search works without an index: %', sqlerrm;
end $$;

-- As before, with the key for the index and the text itself to decide.
create or replace function search_records(p_entity_id uuid, p_words text[]) returns setof uuid
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
    -- A key has no backslash left, so only these two have a meaning in a pattern.
    select pg_catalog.array_agg('%' || pg_catalog.replace(pg_catalog.replace(public.search_key(w.word), '%', E'\\%'), '_', E'\\_') || '%' order by w.n)
        into v_patterns from pg_catalog.unnest(p_words) with ordinality as w (word, n);
    select pg_catalog.string_agg(pg_catalog.format(' and public.search_key(r.search) like $3[%s] and strpos(r.search, $4[%s]) > 0', n, n), '')
        into v_conditions from pg_catalog.generate_series(1, pg_catalog.cardinality(v_patterns)) as n;
    return query execute 'select r.id from public.records r where r.tenant_id = $1 and r.entity_id = $2 and r.search is not null' || v_conditions
        using v_tenant, p_entity_id, v_patterns, p_words;
end $$;
