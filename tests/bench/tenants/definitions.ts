/** A tenant's definitions that no other tenant has: 5 to 20 entities of 15 fields. */
const kinds = [
  'TEXT',
  'EMAIL',
  'INTEGER',
  'NUMBER',
  'BOOLEAN',
  'DATE',
  'DATETIME',
  'SELECT',
  'LONG_TEXT',
  'URL',
] as const;

const fieldCount = 15;

export function entityCountOf(tenant: number): number {
  return 5 + ((tenant * 7) % 16);
}

export function entityName(tenant: number, entity: number): string {
  return `n${tenant}Item${entity}`;
}

/** As `applyDefinitions` takes it. */
export function definitionsOf(tenant: number): object {
  const count = entityCountOf(tenant);
  return {
    entities: Array.from({ length: count }, (_, entity) => ({
      name: entityName(tenant, entity),
      fields: Array.from({ length: fieldCount }, (_unused, position) => {
        if (position === 0) {
          const targetEntity = entityName(tenant, (entity + 1) % count);
          return { name: 'parent', type: 'RELATION', targetEntity, inverseName: 'children' };
        }
        const type = kinds[position % kinds.length];
        const options = type === 'SELECT' ? ['NEW', 'OPEN', 'DONE'].map((value) => ({ value })) : null;
        return { name: `field${position}`, type, options, isUnique: position === 1 };
      }),
    })),
  };
}

/** What its users write: a record of the first entity, every field but the unique one. */
export function writeOf(tenant: number): { query: string; variables: Record<string, unknown> } {
  const type = entityName(tenant, 0).replace(/^n/, 'N');
  return {
    query: `mutation Write($input: Create${type}Input!) { create${type}(input: $input) { id version createdAt } }`,
    variables: {
      input: {
        field2: tenant,
        field3: 1.5,
        field4: true,
        field5: '2026-11-21',
        field7: 'OPEN',
        field8: 'Some words',
      },
    },
  };
}

/** What the tenant's frontend asks over and over; no two tenants' texts are equal. */
export function queriesOf(tenant: number): string[] {
  const [first, second] = [entityName(tenant, 0), entityName(tenant, 1)];
  const fields = 'id field1 field2 field3 field4 field7 version createdAt';
  return [
    `query List { ${first}s(first: 10) { edges { cursor node { ${fields} parent { id field2 } } } pageInfo { hasNextPage endCursor } } }`,
    `query Open { ${first}s(first: 5, filter: { field2: { gte: 3 } }, orderBy: [{ field2: DESC_NULLS_LAST }]) { nodes { ${fields} } totalCount } }`,
    `query Others { ${second}s(first: 10) { nodes { ${fields} children(first: 2) { nodes { id } } } } }`,
  ];
}
