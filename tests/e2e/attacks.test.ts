/** What an attacker tries from outside: each is refused with its code, and nothing is told. */
import { generateKeyPair, SignJWT, UnsecuredJWT, decodeJwt } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { operator, startProduct, type Product } from '#tests/harness/product.ts';
import { addUser, registerTenant, signIn, type TestTenant } from '#tests/harness/tenant.ts';

let product: Product;
let victim: TestTenant;
let attacker: TestTenant;
let secretId: string;
let ownId: string;

const define = `mutation { createEntity(input: { name: "doc", fields: [
  { name: "title", type: TEXT, isUnique: true },
  { name: "parent", type: RELATION, targetEntity: "doc", inverseName: "children" }
] }) { id } }`;

beforeAll(async () => {
  product = await startProduct();
  [victim, attacker] = await Promise.all([registerTenant(product), registerTenant(product)]);
  await Promise.all([victim.admin.query(define), attacker.admin.query(define)]);
  const create = `mutation ($title: String) { createDoc(input: { title: $title }) { id } }`;
  secretId = (await victim.admin.query(create, { title: 'top secret' })).createDoc.id;
  ownId = (await attacker.admin.query(create, { title: 'mine' })).createDoc.id;
});
afterAll(() => product[Symbol.asyncDispose]());

/** What an answer must never hold: the victim's data, a stack, SQL, a path of the server. */
function leaksNothing(answer: unknown): void {
  expect(JSON.stringify(answer)).not.toMatch(
    /top secret|node_modules|at \w+ \(|\.ts:\d+|select |insert into|pg_|stacktrace/i,
  );
}

describe('credentials', () => {
  it('lets nobody without one past the public graph', async () => {
    const anonymous = product.client();
    for (const query of [
      '{ me { id } }',
      '{ docs { nodes { id } } }',
      '{ tenants { nodes { id } } }',
      'mutation { createDoc(input: {}) { id } }',
    ]) {
      const answer = await anonymous.send(query);
      expect(answer.errors?.[0]?.extensions.code).toBe('UNAUTHENTICATED');
      expect(answer.data).toBeNull();
      leaksNothing(answer);
    }
    const { __schema } = await anonymous.query(
      `{ __schema { queryType { fields { name } } mutationType { fields { name } } } }`,
    );
    expect(__schema.queryType.fields.map((field: { name: string }) => field.name)).toEqual(['plans']);
    expect(__schema.mutationType.fields.map((field: { name: string }) => field.name).toSorted()).toEqual([
      'login',
      'refreshSession',
      'registerTenant',
    ]);
    expect((await anonymous.query(`{ plans { code } }`)).plans).toHaveLength(3);
  });

  it('refuses expired, forged and altered tokens with 401', async () => {
    const payload = decodeJwt(victim.adminToken);
    const { privateKey } = await generateKeyPair('ES256');
    const kid = JSON.parse(Buffer.from(victim.adminToken.split('.')[0] ?? '', 'base64url').toString()).kid;
    const [header, , signature] = victim.adminToken.split('.');
    const altered = Buffer.from(JSON.stringify({ ...payload, tenant_id: attacker.id })).toString('base64url');
    const jwks = (await (await fetch(`${product.url}/.well-known/jwks.json`)).json()) as {
      keys: { x: string; d?: string }[];
    };
    expect(jwks.keys.every((key) => key.d === undefined)).toBe(true);
    const tokens = {
      'alg none': new UnsecuredJWT(payload).encode(),
      'another key': await new SignJWT(payload).setProtectedHeader({ alg: 'ES256', kid }).sign(privateKey),
      'public key as a shared secret': await new SignJWT(payload)
        .setProtectedHeader({ alg: 'HS256', kid })
        .sign(new TextEncoder().encode(JSON.stringify(jwks.keys[0]))),
      expired: await new SignJWT({ ...payload, exp: 1 })
        .setProtectedHeader({ alg: 'ES256', kid })
        .sign(privateKey),
      'altered payload': `${header}.${altered}.${signature}`,
      garbage: 'garbage',
      empty: '',
    };
    for (const [name, token] of Object.entries(tokens)) {
      const answer = await product.client({ authorization: `Bearer ${token}` }).send('{ me { id } }');
      expect([answer.status, answer.errors?.[0]?.extensions.code], name).toEqual([401, 'UNAUTHENTICATED']);
      leaksNothing(answer);
    }
    for (const key of [
      'tk_',
      `tk_${'A'.repeat(43)}`,
      victim.apiKey.slice(0, -1),
      `${victim.apiKey}x`,
      "tk_' or 1=1 --",
    ]) {
      const answer = await product.client({ authorization: `ApiKey ${key}` }).send('{ tenant { id } }');
      expect([answer.status, answer.errors?.[0]?.extensions.code], key).toEqual([401, 'UNAUTHENTICATED']);
    }
  });

  it('refuses a header that names another tenant with 403, and an unknown one alike', async () => {
    for (const tenantId of [victim.id, victim.slug]) {
      const client = product.client({
        authorization: `Bearer ${attacker.adminToken}`,
        'x-tenant-id': tenantId,
      });
      const answer = await client.send('{ docs { nodes { title } } }');
      expect([answer.status, answer.errors?.[0]?.extensions.code]).toEqual([403, 'FORBIDDEN']);
      leaksNothing(answer);
    }
    const own = product.client({
      authorization: `Bearer ${attacker.adminToken}`,
      'x-tenant-id': attacker.slug,
    });
    expect((await own.query('{ tenant { id } }')).tenant.id).toBe(attacker.id);
  });

  it('refuses a revoked key, and a removed user, within two seconds', async () => {
    const user = await addUser(product, victim, 'USER');
    const { me } = await user.query('{ me { id } }');
    await victim.admin.query(`mutation ($id: ID!) { deleteUser(id: $id) }`, { id: me.id });
    await refusedSoon(() => user.send('{ me { id } }'), 'UNAUTHENTICATED');

    const { createApiKey } = await victim.admin.query(
      `mutation { createApiKey(input: { name: "ci", role: USER }) { key apiKey { id } } }`,
    );
    const service = product.client({ authorization: `ApiKey ${createApiKey.key}` });
    await service.query('{ docs { nodes { id } } }');
    await victim.admin.query(`mutation ($id: ID!) { revokeApiKey(id: $id) }`, { id: createApiKey.apiKey.id });
    await refusedSoon(() => service.send('{ docs { nodes { id } } }'), 'UNAUTHENTICATED');
  });
});

/** Asks again and again, at most 2 s long by the product's promise, until it is refused. */
async function refusedSoon(
  ask: () => Promise<{ errors?: { extensions: { code: string } }[] | undefined }>,
  code: string,
): Promise<void> {
  const deadline = Date.now() + 2000;
  for (;;) {
    const answer = await ask();
    if (answer.errors || Date.now() > deadline) {
      expect(answer.errors?.[0]?.extensions.code).toBe(code);
      return;
    }
  }
}

describe('another tenant’s ids', () => {
  it('are as unknown as ids that never were, in every operation that takes one', async () => {
    const never = '0197aaaa-0000-7000-8000-000000000000';
    const { me } = await victim.admin.query('{ me { id } }');
    const { apiKeys } = await victim.admin.query('{ apiKeys { id } }');
    const reads: [string, string][] = [
      ['query ($id: ID!) { doc(id: $id) { title } }', secretId],
      ['query ($id: ID!) { record(entity: "doc", id: $id) { id } }', secretId],
      ['query ($id: ID!) { user(id: $id) { email } }', me.id],
    ];
    for (const [query, id] of reads) {
      const [foreign, unknown] = await Promise.all([
        attacker.admin.send(query, { id }),
        attacker.admin.send(query, { id: never }),
      ]);
      expect(foreign.errors).toBeUndefined();
      expect(foreign.data).toEqual(unknown.data);
      expect(Object.values(foreign.data)).toEqual([null]);
    }
    const writes: [string, string][] = [
      ['mutation ($id: ID!) { updateDoc(id: $id, input: { title: "stolen" }) { title } }', secretId],
      ['mutation ($id: ID!) { deleteDoc(id: $id) { title } }', secretId],
      ['mutation ($id: ID!) { restoreDoc(id: $id) { title } }', secretId],
      ['mutation ($id: ID!) { updateUser(id: $id, input: { name: "x" }) { email } }', me.id],
      ['mutation ($id: ID!) { deleteUser(id: $id) }', me.id],
      ['mutation ($id: ID!) { revokeApiKey(id: $id) }', apiKeys[0].id],
    ];
    for (const [query, id] of writes) {
      const [foreign, unknown] = await Promise.all([
        attacker.admin.send(query, { id }),
        attacker.admin.send(query, { id: never }),
      ]);
      expect(foreign.errors?.[0]?.extensions.code, query).toBe('NOT_FOUND');
      expect(foreign.errors?.[0]?.message.replace(id, never)).toBe(unknown.errors?.[0]?.message);
      leaksNothing(foreign);
    }
    const relation = await attacker.admin.send(
      'mutation ($id: ID!, $parent: ID) { updateDoc(id: $id, input: { parentId: $parent }) { id } }',
      {
        id: ownId,
        parent: secretId,
      },
    );
    expect(['NOT_FOUND', 'BAD_USER_INPUT']).toContain(relation.errors?.[0]?.extensions.code);
    const filters = await attacker.admin.query(
      'query ($id: ID!) { a: docs(filter: { id: { eq: $id } }) { totalCount } b: docs(filter: { parentId: { eq: $id } }) { totalCount } c: docs(filter: { not: { id: { eq: $id } } }) { totalCount nodes { title } } }',
      { id: secretId },
    );
    expect(filters).toEqual({
      a: { totalCount: 0 },
      b: { totalCount: 0 },
      c: { totalCount: 1, nodes: [{ title: 'mine' }] },
    });
    expect(
      (await victim.admin.query('query ($id: ID!) { doc(id: $id) { title version } }', { id: secretId })).doc,
    ).toEqual({
      title: 'top secret',
      version: 1,
    });
  });

  it('says nothing of them in events', async () => {
    await using changes = await attacker.admin.subscribe('subscription { recordChanged { recordId } }');
    await victim.admin.query('mutation { createDoc(input: { title: "another" }) { id } }');
    const { createDoc } = await attacker.admin.query(
      'mutation { createDoc(input: { title: "own" }) { id } }',
    );
    expect((await changes.next()).recordChanged.recordId).toBe(createDoc.id);
  });
});

describe('roles', () => {
  it('lets a viewer read, and refuses every write', async () => {
    const viewer = await addUser(product, victim, 'VIEWER');
    expect(
      (await viewer.query('{ docs(filter: { title: { eq: "top secret" } }) { totalCount } }')).docs
        .totalCount,
    ).toBe(1);
    const writes = [
      'mutation { createDoc(input: { title: "no" }) { id } }',
      'mutation { createDocs(inputs: [{ title: "no" }]) { id } }',
      'mutation { upsertDoc(on: TITLE, input: { title: "no" }) { id } }',
      `mutation { updateDoc(id: "${secretId}", input: { title: "no" }) { id } }`,
      `mutation { deleteDoc(id: "${secretId}") { id } }`,
      `mutation { restoreDoc(id: "${secretId}") { id } }`,
      'mutation { createEntity(input: { name: "no" }) { id } }',
      'mutation { createField(entity: "doc", input: { name: "no", type: TEXT }) { id } }',
      'mutation { deleteField(entity: "doc", name: "title") }',
      'mutation { deleteEntity(name: "doc") }',
      'mutation { applyTemplate(name: "crm") { id } }',
      `mutation { createUser(input: { email: "x@y.example", password: "12345678910", role: ADMIN }) { id } }`,
      'mutation { createApiKey(input: { name: "no" }) { key } }',
    ];
    for (const write of writes) expect(await viewer.codeOf(write), write).toBe('FORBIDDEN');
    expect(
      (await victim.admin.query('{ docs(filter: { title: { eq: "no" } }) { totalCount } }')).docs.totalCount,
    ).toBe(0);
  });

  it('lets nobody give more than they have', async () => {
    const developer = await addUser(product, victim, 'DEVELOPER');
    expect(
      await developer.codeOf('mutation { createApiKey(input: { name: "up", role: ADMIN }) { key } }'),
    ).toBe('FORBIDDEN');
    expect(await developer.codeOf('{ tenants { nodes { id } } }')).toBe('FORBIDDEN');
    expect(
      await victim.admin.codeOf(
        `mutation { setTenantStatus(id: "${attacker.id}", status: SUSPENDED) { id } }`,
      ),
    ).toBe('FORBIDDEN');
    const answer = await victim.admin.send(
      'mutation { createUser(input: { email: "op@y.example", password: "12345678910", role: OPERATOR }) { id } }',
    );
    expect(['FORBIDDEN', 'BAD_USER_INPUT', 'GRAPHQL_VALIDATION_FAILED']).toContain(
      answer.errors?.[0]?.extensions.code,
    );
  });

  it('refuses a suspended tenant with its own code, until the operator lifts it', async () => {
    const tenant = await registerTenant(product);
    const staff = await signIn(product, operator);
    const setStatus =
      'mutation ($id: ID!, $status: TenantStatus!) { setTenantStatus(id: $id, status: $status) { status } }';
    await staff.query(setStatus, { id: tenant.id, status: 'SUSPENDED' });
    await refusedSoon(() => tenant.admin.send('{ me { id } }'), 'TENANT_SUSPENDED');
    expect(
      await product.client({ authorization: `ApiKey ${tenant.apiKey}` }).codeOf('{ tenant { id } }'),
    ).toBe('TENANT_SUSPENDED');
    await staff.query(setStatus, { id: tenant.id, status: 'ACTIVE' });
    await answeredSoon(() => tenant.admin.send('{ me { id } }'));
    const { tenants } = await staff.query(
      'query ($search: String) { tenants(search: $search) { nodes { id status } } }',
      { search: tenant.slug },
    );
    expect(tenants.nodes).toEqual([{ id: tenant.id, status: 'ACTIVE' }]);
  });
});

async function answeredSoon(ask: () => Promise<{ errors?: unknown }>): Promise<void> {
  const deadline = Date.now() + 2000;
  while (Date.now() < deadline) if (!(await ask()).errors) return;
  expect((await ask()).errors).toBeUndefined();
}

describe('hostile input', () => {
  it('takes SQL and GraphQL metacharacters for what they are: text', async () => {
    const texts = [
      `'; drop table records; --`,
      `" } { __schema { types { name } } }`,
      '%',
      '_',
      '\\',
      '${1}',
      '$1',
      '\u202e',
      '👩‍👩‍👧',
      '\u0001',
      `{"a":1}`,
    ];
    for (const title of texts) {
      const { createDoc } = await attacker.admin.query(
        'mutation ($title: String) { createDoc(input: { title: $title }) { id title } }',
        { title },
      );
      expect(createDoc.title).toBe(title);
      for (const filter of [{ eq: title }, { startsWith: title }, { endsWith: title }, { in: [title] }]) {
        const { docs } = await attacker.admin.query(
          'query ($filter: DocFilter) { docs(filter: $filter) { nodes { id } } }',
          { filter: { title: filter } },
        );
        expect(docs.nodes, `${title} ${JSON.stringify(filter)}`).toEqual([{ id: createDoc.id }]);
      }
    }
    const answer = await attacker.admin.send(
      'mutation { createDoc(input: { title: "nul \\u0000 byte" }) { id } }',
    );
    expect(answer.errors?.[0]?.extensions).toMatchObject({
      code: 'BAD_USER_INPUT',
      fields: [{ field: 'title' }],
    });
  });

  it('refuses a 10 MB body with 413', async () => {
    const response = await fetch(`${product.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${attacker.adminToken}` },
      body: JSON.stringify({ query: `{ me { id } } # ${'x'.repeat(10_000_000)}` }),
    });
    expect(response.status).toBe(413);
    leaksNothing(await response.text());
  });

  it('refuses a 2,000-deep query, and goes on answering', async () => {
    const deep = `{ docs { nodes ${'{ parent '.repeat(2000)} { id } ${'}'.repeat(2000)} } }`;
    const answer = await attacker.admin.send(deep);
    expect(['QUERY_TOO_COMPLEX', 'GRAPHQL_PARSE_FAILED', 'BAD_USER_INPUT']).toContain(
      answer.errors?.[0]?.extensions.code,
    );
    leaksNothing(answer);
    expect((await attacker.admin.query('{ me { email } }')).me.email).toBe(attacker.adminEmail);
  });

  it('names the field and the rule of bad input', async () => {
    const answer = await product
      .client()
      .send(
        `mutation { registerTenant(input: { name: "", adminEmail: "nobody", adminPassword: "short", plan: FREE }) { tenant { id } } }`,
      );
    const extensions = answer.errors?.[0]?.extensions;
    expect(extensions?.code).toBe('BAD_USER_INPUT');
    expect(extensions?.fields?.map((field) => field.field).toSorted()).toEqual([
      'adminEmail',
      'adminPassword',
      'name',
    ]);
    leaksNothing(answer);
  });
});
