-- Search in some of the fields only. "search" holds the folded text of all searchable fields, one after another; here is
-- where each of them lies in it: { field key: [first character, characters] }, and under "~v" the version of the record
-- that this was written with. A row that was last written by a release without this column, or before it, is unsplit.
alter table "records" add column "search_parts" jsonb;

-- Finds what is unsplit; empty once everything was gone through.
create index "records_unsplit" on "records" ("tenant_id", "entity_id", "id")
    where "search" is not null and ("search_parts" ->> '~v')::int is distinct from "version";

-- The text of these fields alone, one to a line; null where the record has none of them, or is unsplit.
create function search_part(p_search text, p_parts jsonb, p_version integer, p_keys text[]) returns text
    language sql immutable parallel safe
    set search_path = pg_catalog, pg_temp
    return case when (p_parts operator(pg_catalog.->>) '~v')::int operator(pg_catalog.=) p_version then (
        select pg_catalog.string_agg(pg_catalog.substr(p_search, (p.part operator(pg_catalog.->>) 0)::int, (p.part operator(pg_catalog.->>) 1)::int), E'\n')
        from pg_catalog.unnest(p_keys) as k (key)
        cross join lateral (select p_parts operator(pg_catalog.->) k.key) as p (part)
    ) end;

grant select ("search_parts", "version") on "records" to tenantry_search;

-- As search_records(uuid, text[]), where only these fields are looked into. The index finds what has the words anywhere.
create function search_records(p_entity_id uuid, p_words text[], p_keys text[]) returns setof uuid
    language plpgsql stable security definer rows 100
    set search_path = pg_catalog, pg_temp
    as $$
declare
    v_tenant uuid := public.current_tenant_id();
    v_patterns text[];
    v_likes text;
    v_contained text;
begin
    if v_tenant is null or coalesce(pg_catalog.cardinality(p_words), 0) = 0 or coalesce(pg_catalog.cardinality(p_keys), 0) = 0 then
        return;
    end if;
    select pg_catalog.array_agg('%' || pg_catalog.replace(pg_catalog.replace(public.search_key(w.word), '%', E'\\%'), '_', E'\\_') || '%' order by w.n)
        into v_patterns from pg_catalog.unnest(p_words) with ordinality as w (word, n);
    select pg_catalog.string_agg(pg_catalog.format(' and public.search_key(r.search) like $3[%s]', n), ''),
        pg_catalog.string_agg(pg_catalog.format('strpos(m.part, $4[%s]) > 0', n), ' and ')
        into v_likes, v_contained from pg_catalog.generate_series(1, pg_catalog.cardinality(v_patterns)) as n;
    return query execute 'select m.id from ('
        'select r.id, public.search_part(r.search, r.search_parts, r.version, $5) as part from public.records r '
        'where r.tenant_id = $1 and r.entity_id = $2 and r.search is not null' || v_likes || ' offset 0) m where ' || v_contained
        using v_tenant, p_entity_id, v_patterns, p_words, p_keys;
end $$;
revoke all on function search_records(uuid, text[], text[]) from public;
grant execute on function search_records(uuid, text[], text[]) to tenantry_app;

grant create on schema public to tenantry_search;
alter function search_records(uuid, text[], text[]) owner to tenantry_search;
revoke create on schema public from tenantry_search;
