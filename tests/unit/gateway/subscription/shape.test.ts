import { describe, expect, test } from 'vitest';
import type { Caller } from '#gateway/auth/caller.ts';
import type { PreparedOperation } from '#gateway/execution/executor.ts';
import { tenantScope } from '#gateway/graph/scope.ts';
import type { SharingRules } from '#gateway/graph/subgraph-sdl.ts';
import { canonicalJson } from '#gateway/subscription/canonical-json.ts';
import { shapeOf } from '#gateway/subscription/shape.ts';
import type { Claims } from '#schema/claims.ts';

const ours = ['tenants', 'entities', 'realtime'];
const text = {
  query: 'subscription ($after: String) { contactChanged(after: $after) { cursor } }',
  operationName: null,
};
const claims: Claims = {
  tenantId: 'acme',
  actorKind: 'USER',
  actorId: 'ada',
  role: 'USER',
  authVersion: 7,
  sessionId: 's1',
};

interface Asked {
  readonly claims?: Partial<Claims>;
  readonly rules?: Partial<SharingRules> | null;
  readonly subgraphs?: readonly string[];
  readonly rootField?: string;
  readonly variables?: Record<string, unknown>;
  readonly query?: string;
  readonly headers?: Record<string, string>;
  readonly clientAddress?: string;
  readonly grants?: Caller['grants'];
}

function shape(asked: Asked = {}) {
  const rules: SharingRules | null =
    asked.rules === null
      ? null
      : {
          subgraphs: new Set(ours),
          perUserRoles: new Set(),
          perUserSubscriptions: new Set(['notificationReceived']),
          ...asked.rules,
        };
  const all = { ...claims, ...asked.claims };
  const caller: Caller = {
    claims: all,
    scope: tenantScope(all.tenantId ?? ''),
    proof: { kind: 'NONE' },
    ...(asked.grants ? { grants: asked.grants } : {}),
  };
  const operation = {
    summary: { kind: 'subscription', operationName: null, rootFields: [asked.rootField ?? 'contactChanged'] },
    stream: {
      source: 'realtime',
      subgraphs: new Set(asked.subgraphs ?? ['realtime', 'entities']),
      resumeVariable: 'after',
    },
  } as unknown as PreparedOperation;
  const active = { hash: 'h', definitionsVersion: 3, sharing: rules };
  return shapeOf(
    { caller, active, operation },
    { ...text, query: asked.query ?? text.query },
    {
      variables: asked.variables ?? {},
      requestId: crypto.randomUUID(),
      clientAddress: asked.clientAddress ?? '127.0.0.1',
      headers: asked.headers,
    },
  );
}
const share = (one: Asked, other: Asked): boolean => shape(one).key === shape(other).key;

describe('who shares', () => {
  test('two users of a role, wherever they come from and whatever session they have', () => {
    const other: Asked = {
      claims: { actorId: 'bob', sessionId: 's2', authVersion: 8 },
      clientAddress: '::1',
    };
    expect(share({}, other)).toBe(true);
    expect(shape(other).identity).toMatchObject({
      claims: { tenantId: 'acme', role: 'USER', actorKind: 'USER', actorId: null, sessionId: null },
      clientAddress: null,
      headers: undefined,
      tellsPlace: true,
    });
  });

  test.each<[string, Asked]>([
    ['another tenant', { claims: { tenantId: 'globex' } }],
    ['another role', { claims: { role: 'VIEWER' } }],
    ['a key of the same role', { claims: { actorKind: 'SERVICE' } }],
    ['another operation', { query: 'subscription { contactChanged { at } }' }],
    ['other variables', { variables: { filter: { name: { eq: 'x' } } } }],
  ])('but not %s', (_what, other) => {
    expect(share({}, other)).toBe(false);
  });

  test.each<[string, Asked]>([
    ['the role’s permissions name the user', { rules: { perUserRoles: new Set(['USER'] as const) } }],
    ['the events are a user’s own', { rootField: 'notificationReceived' }],
    [
      'a subgraph does not say what depends on the user',
      { rules: { subgraphs: new Set(['realtime', 'tenants']) } },
    ],
    ['a subgraph is not ours', { subgraphs: ['realtime', 'reviews'] }],
    ['it is an operator', { claims: { actorKind: 'OPERATOR', role: 'OPERATOR' } }],
    ['there is no role', { claims: { role: null } }],
  ])('not two users where %s', (_what, asked) => {
    const bob: Asked = { ...asked, claims: { ...asked.claims, actorId: 'bob' } };
    expect(share(asked, bob)).toBe(false);
    expect(shape(bob).identity.claims.actorId).toBe('bob');
  });

  test('a permission of another role is no reason to part', () => {
    const rules = { perUserRoles: new Set(['VIEWER'] as const) };
    expect(share({ rules }, { rules, claims: { actorId: 'bob' } })).toBe(true);
  });

  test('where they resume makes no difference, if it is nothing else', () => {
    expect(share({ variables: { after: 'a' } }, { variables: { after: 'b' } })).toBe(true);
    expect(share({ variables: { after: 'a' } }, {})).toBe(true);
    expect(share({ variables: { before: 'a' } }, { variables: { before: 'b' } })).toBe(false);
  });

  test('where a subgraph is not ours, only who sends and is granted the same', () => {
    const base: Asked = { rules: null, headers: { authorization: 'a', 'x-request-id': '1' } };
    expect(shape(base).sharing).toBe('joined');
    expect(share(base, { ...base, headers: { 'x-request-id': '2', authorization: 'a' } })).toBe(true);
    expect(share(base, { ...base, headers: { authorization: 'b' } })).toBe(false);
    expect(share(base, { ...base, clientAddress: '::1' })).toBe(false);
    const grants = {
      authenticated: true,
      scopes: new Set(['x']),
      policies: new Set<string>(),
      expiresAtMs: 1,
    };
    expect(share({ ...base, grants }, { ...base, grants: { ...grants, expiresAtMs: 2 } })).toBe(true);
    expect(share({ ...base, grants }, { ...base, grants: { ...grants, scopes: new Set(['y']) } })).toBe(
      false,
    );
    // There `after` may mean anything.
    expect(share({ ...base, variables: { after: 'a' } }, { ...base, variables: { after: 'b' } })).toBe(false);
  });

  test('a stream of a subgraph without a log is shared by nobody', () => {
    expect(shape({ rules: { subgraphs: new Set(['entities', 'tenants']) } }).sharing).toBe('alone');
  });
});

describe('variables as a key', () => {
  const parse = (json: string): unknown => JSON.parse(json);

  test('are equal in any order of members', () => {
    const one = parse('{"a":{"y":1,"x":[1,{"p":null,"o":"é"}]},"b":true}');
    const other = parse('{"b":true,"a":{"x":[1,{"o":"é","p":null}],"y":1}}');
    expect(canonicalJson(one)).toBe(canonicalJson(other));
  });

  test.each([
    ['{"a":{"__proto__":{"x":1}}}', '{"a":{}}'],
    ['{"a":{"__proto__":{"x":1}}}', '{"a":{"__proto__":{"x":2}}}'],
    ['{"__proto__":1}', '{}'],
    ['{"a":{"constructor":1}}', '{"a":{}}'],
    ['{"a":1e999}', '{"a":null}'],
    ['{"a":-0}', '{"a":0}'],
    ['{"a":"1"}', '{"a":1}'],
    ['{"a":[1,[2]]}', '{"a":[[1],2]}'],
    ['{"a":"x\\",\\"b\\":1"}', '{"a":"x","b":1}'],
    ['{"a":null}', '{}'],
    ['{"a":[]}', '{"a":{}}'],
    ['{"a":{"0":1}}', '{"a":[1]}'],
  ])('%s is not %s', (one, other) => {
    expect(canonicalJson(parse(one))).not.toBe(canonicalJson(parse(other)));
  });

  test('are refused when they are nested beyond reason', () => {
    const deep = parse(`${'['.repeat(5_000)}${']'.repeat(5_000)}`);
    expect(() => canonicalJson(deep)).toThrow(expect.objectContaining({ code: 'BAD_USER_INPUT' }) as Error);
  });
});
