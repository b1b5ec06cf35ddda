/** A tenant full of records, written straight to the table as the store would write them. */
import type pg from 'pg';

/** 20 regions, a company for every 100 people, and `people` people; every 5,000th note has a word of its own. */
export async function fill(admin: pg.Client, tenantId: string, people: number): Promise<void> {
  const { rows } = await admin.query<{
    entity: string;
    entityId: string;
    name: string;
    key: string;
    slot: string | null;
  }>(
    `select e.name as entity, e.id as "entityId", f.name, f.key, f.slot
     from entity_definitions e join field_definitions f on f.entity_id = e.id where e.tenant_id = $1`,
    [tenantId],
  );
  const insert = async (entity: string, count: number, values: Record<string, string>, search = 'null') => {
    const fields = rows.filter((row) => row.entity === entity);
    const stored = fields.filter(({ name }) => values[name] !== undefined);
    const slots = stored.filter(({ slot }) => slot !== null);
    const data = stored.map(({ key, name }) => `'${key}', ${values[name]}`).join(', ');
    const columns = slots.map(({ slot }) => `, ${slot}`).join('');
    const slotValues = slots.map(({ slot, name }) => {
      const value = values[name] as string;
      if (slot?.startsWith('t')) return `, ${name === 'status' ? value : `lower(${value})`}`;
      return `, (${value})${slot?.startsWith('d') ? "::date::timestamp at time zone 'UTC'" : ''}`;
    });
    const id = (kind: string, n: string): string => `md5('${tenantId} ${kind} ' || (${n}))::uuid`;
    const text = `insert into records (tenant_id, entity_id, id, data, search, created_at, updated_at${columns})
      select $1, $2, ${id(entity, 'n')}, jsonb_build_object(${data}), ${search}, now() - n * interval '1 second', now()${slotValues.join('')}
      from generate_series(1, $3::int) as n`;
    await admin.query(text, [tenantId, fields[0]?.entityId, count]);
  };
  const companies = Math.max(10, Math.floor(people / 100));
  const reference = (kind: string, n: string): string => `md5('${tenantId} ${kind} ' || (${n}))::uuid`;
  await insert('region', 20, { name: "'Region ' || n" });
  await insert('company', companies, { name: "'Company ' || n", region: reference('region', '1 + n % 20') });
  const note = `'notes about person number ' || n || case when n % 5000 = 0 then ' zebrafish' else '' end`;
  await insert(
    'person',
    people,
    {
      name: `(array['Ada', 'Björn', 'Cy', 'Dee', 'Eve'])[1 + n % 5] || ' ' || n`,
      score: `((n::bigint * 7919) % 1000)::int`,
      // A few without, so that nulls have to be found.
      joined: `case when n % 20011 <> 7 then to_char(date '2000-01-01' + (n * 31) % 9000, 'YYYY-MM-DD') end`,
      status: `(array['OPEN', 'DONE', 'LATE'])[1 + n % 3]`,
      note,
      company: reference('company', `1 + n % ${companies}`),
    },
    note,
  );
}
