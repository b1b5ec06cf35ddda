/** Rules hold where they are written, also through _entities, and cost nothing elsewhere. */
import { graphql } from 'graphql';
import { describe, expect, it } from 'vitest';
import { anonymousClaims, type Claims } from '#schema/claims.ts';
import { DomainError } from '#schema/errors.ts';
import { atLeast, atLeastInTenant } from '#subgraphs/server/base-rules.ts';
import { buildExecutableSubgraph } from '#subgraphs/server/executable-subgraph.ts';
import { and, chain, not, or, race, rule, type ShieldRules } from '#subgraphs/server/shield.ts';

const sdl = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.7", import: ["@key"])
type Query { open: String closed: String thing: Thing fails: String }
type Thing @key(fields: "id") { id: ID! secret: String plain: String }`;

const resolvers = {
  Query: {
    open: () => 'open',
    closed: () => 'closed',
    thing: () => ({ id: '1', secret: 's', plain: 'p' }),
    fails: () => {
      throw new DomainError('CONFLICT', 'its own error');
    },
  },
  Thing: { __resolveReference: ({ id }: { id: string }) => ({ id, secret: 's', plain: 'p' }) },
};

const user: Claims = {
  tenantId: 't',
  actorKind: 'USER',
  actorId: 'u',
  role: 'USER',
  authVersion: 1,
  sessionId: null,
};

async function ask(rules: ShieldRules, claims: Claims, source: string): Promise<[unknown, unknown[]]> {
  const schema = buildExecutableSubgraph(sdl, resolvers, rules);
  const { data, errors = [] } = await graphql({ schema, source, contextValue: { claims } });
  const codes = errors.map(
    (error) => (error.originalError as DomainError | undefined)?.code ?? error.message,
  );
  return [JSON.parse(JSON.stringify(data)), codes];
}

const entities =
  '{ _entities(representations: [{ __typename: "Thing", id: "9" }]) { ... on Thing { id secret plain } } }';

describe('rules', () => {
  it('hold for the named field and leave the others alone', async () => {
    const rules = { Query: { closed: atLeast('ADMIN') } };
    expect(await ask(rules, user, '{ open closed }')).toEqual([
      { open: 'open', closed: null },
      ['FORBIDDEN'],
    ]);
    expect(await ask(rules, { ...user, role: 'ADMIN' }, '{ open closed }')).toEqual([
      { open: 'open', closed: 'closed' },
      [],
    ]);
    expect(await ask(rules, anonymousClaims, '{ open closed }')).toEqual([
      { open: 'open', closed: null },
      ['UNAUTHENTICATED'],
    ]);
  });

  it('by wildcard spare _service and _entities', async () => {
    const rules = { Query: { '*': atLeast('OPERATOR') } };
    expect(await ask(rules, user, '{ open }')).toEqual([{ open: null }, ['FORBIDDEN']]);
    const [service] = await ask(rules, user, '{ _service { sdl } }');
    expect(service).toHaveProperty('_service.sdl');
    expect(await ask(rules, user, entities)).toEqual([
      { _entities: [{ id: '9', secret: 's', plain: 'p' }] },
      [],
    ]);
  });

  it('keep errors of resolvers as they are', async () => {
    expect(await ask({ Query: { fails: atLeast('VIEWER') } }, user, '{ fails }')).toEqual([
      { fails: null },
      ['CONFLICT'],
    ]);
  });

  it('combine', async () => {
    const isWeekend = rule('isWeekend')(() => new DomainError('FORBIDDEN', 'not today'));
    expect(await ask({ Query: { open: and(atLeast('USER'), isWeekend) } }, user, '{ open }')).toEqual([
      { open: null },
      ['FORBIDDEN'],
    ]);
    for (const either of [or, race]) {
      const rules = {
        Query: { open: either(isWeekend, atLeast('USER')), closed: either(isWeekend, atLeast('ADMIN')) },
      };
      expect(await ask(rules, user, '{ open closed }')).toEqual([
        { open: 'open', closed: null },
        ['FORBIDDEN'],
      ]);
    }
    expect((await ask({ Query: { open: chain(atLeast('USER'), isWeekend) } }, user, '{ open }'))[1]).toEqual([
      'FORBIDDEN',
    ]);
    expect(await ask({ Query: { open: not(atLeast('ADMIN')) } }, user, '{ open }')).toEqual([
      { open: 'open' },
      [],
    ]);
  });

  it('for a type that is not there are refused at once', () => {
    expect(() => buildExecutableSubgraph(sdl, resolvers, { Nope: { x: atLeast('USER') } })).toThrow(/Nope/);
    expect(() => buildExecutableSubgraph(sdl, resolvers, { Query: { nope: atLeast('USER') } })).toThrow(
      /nope/,
    );
  });
});

describe('entities', () => {
  it('need a tenant where nothing else is said', async () => {
    expect((await ask({}, anonymousClaims, entities))[1]).toEqual(['UNAUTHENTICATED']);
    expect((await ask({}, { ...user, tenantId: null }, entities))[1]).toEqual(['TENANT_REQUIRED']);
    expect((await ask({}, user, entities))[1]).toEqual([]);
  });

  it('have a guard of their own, which root rules are not', async () => {
    expect((await ask({ Query: { thing: atLeast('ADMIN') } }, user, entities))[1]).toEqual([]);
    expect((await ask({ Query: { _entities: atLeastInTenant('ADMIN') } }, user, entities))[1]).toEqual([
      'FORBIDDEN',
    ]);
  });

  it('keep the rules of their fields', async () => {
    expect(await ask({ Thing: { secret: atLeast('ADMIN') } }, user, entities)).toEqual([
      { _entities: [{ id: '9', secret: null, plain: 'p' }] },
      ['FORBIDDEN'],
    ]);
  });
});
