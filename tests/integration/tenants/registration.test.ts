/** Registration: one flow, all or nothing. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import pg from 'pg';
import { anonymousClaims } from '#schema/claims.ts';
import { type Anything, createSubject, password, type Subject } from './subject.ts';

let subject: Subject;
let admin: pg.Client;

beforeAll(async () => {
  subject = await createSubject();
  admin = new pg.Client({ connectionString: subject.url });
  await admin.connect();
});
afterAll(async () => {
  await admin?.end();
  await subject?.[Symbol.asyncDispose]();
});

const mutation = `mutation ($input: RegisterTenantInput!) { registerTenant(input: $input) {
  tenant { id name slug status plan maxUsers contactEmail settings createdAt } user { id email name role } accessToken refreshToken apiKey } }`;

function register(input: Record<string, unknown>) {
  const base = { name: 'Acme', adminEmail: 'ada@acme.example', adminPassword: password };
  return subject.send(anonymousClaims, mutation, { input: { ...base, ...input } }) as Promise<Anything>;
}

async function countRows(): Promise<Record<string, number>> {
  const tables = ['tenants', 'tenant_heads', 'users', 'api_keys', 'sessions', 'refresh_tokens'];
  const counts: Record<string, number> = {};
  for (const table of tables) {
    const { rows } = await admin.query(`select count(*)::int as n from ${table}`);
    counts[table] = rows[0].n;
  }
  return counts;
}

describe('a tenant', () => {
  it('comes with its administrator, session and key', async () => {
    const { data, errors } = await register({
      name: 'Größe & Söhne',
      adminName: 'Ada',
      slug: 'acme',
      plan: 'PROFESSIONAL',
    });
    expect(errors).toBeUndefined();
    const { tenant, user, accessToken, refreshToken, apiKey } = data.registerTenant;
    expect(tenant).toMatchObject({
      name: 'Größe & Söhne',
      slug: 'acme',
      status: 'ACTIVE',
      plan: 'PROFESSIONAL',
      maxUsers: 50,
      contactEmail: 'ada@acme.example',
      settings: {},
    });
    expect(tenant.createdAt).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    expect(user).toMatchObject({ email: 'ada@acme.example', name: 'Ada', role: 'ADMIN' });
    expect(accessToken.split('.')).toHaveLength(3);
    expect(refreshToken).toMatch(/^rt_[\w-]{43}$/);
    expect(apiKey).toMatch(/^tk_[\w-]{43}$/);
    const { claims } = await subject.identity.identify({ kind: 'API_KEY', key: apiKey });
    expect(claims).toMatchObject({ tenantId: tenant.id, actorKind: 'SERVICE', role: 'SERVICE' });
    expect(subject.hints).toContain(tenant.id);
  });

  it('gets a slug from its name, with a number where that is taken', async () => {
    const slugs = [];
    for (let round = 0; round < 3; round += 1) {
      slugs.push((await register({ name: 'Crème Brûlée GmbH' })).data.registerTenant.tenant.slug);
    }
    expect(slugs).toEqual(['creme-brulee-gmbh', 'creme-brulee-gmbh-2', 'creme-brulee-gmbh-3']);
    expect((await register({ name: '株式会社' })).data.registerTenant.tenant.slug).toBe('tenant');
    expect((await register({ name: 'API' })).data.registerTenant.tenant.slug).toBe('tenant-api');
  });

  it('gets different slugs when many register under one name at once', async () => {
    const answers = await Promise.all(Array.from({ length: 8 }, () => register({ name: 'Rush' })));
    const slugs = answers.map((answer) => answer.data.registerTenant.tenant.slug);
    expect(new Set(slugs).size).toBe(8);
  });

  it('may lower its plan’s seats, never raise them', async () => {
    expect((await register({ plan: 'FREE', maxUsers: 2 })).data.registerTenant.tenant.maxUsers).toBe(2);
    expect((await register({ plan: 'FREE', maxUsers: 99 })).data.registerTenant.tenant.maxUsers).toBe(5);
    expect((await register({ plan: 'ENTERPRISE', maxUsers: 99 })).data.registerTenant.tenant.maxUsers).toBe(
      99,
    );
    expect((await register({ plan: 'ENTERPRISE' })).data.registerTenant.tenant.maxUsers).toBeNull();
  });
});

describe('bad input', () => {
  it.each([
    [{ name: '  ' }, 'name'],
    [{ name: 'x'.repeat(201) }, 'name'],
    [{ name: 'a\u0000b' }, 'name'],
    [{ name: 'half \ud800' }, 'name'],
    [{ adminEmail: 'nobody' }, 'adminEmail'],
    [{ adminEmail: 'a b@c.d' }, 'adminEmail'],
    [{ adminEmail: '"<script>"@c.d' }, 'adminEmail'],
    [{ adminPassword: 'short' }, 'adminPassword'],
    [{ adminPassword: 'x'.repeat(257) }, 'adminPassword'],
    [{ slug: 'Acme' }, 'slug'],
    [{ slug: 'a--b' }, 'slug'],
    [{ slug: "a';drop table users;--" }, 'slug'],
    [{ slug: 'a' }, 'slug'],
    [{ slug: '' }, 'slug'],
    [{ slug: 'www' }, 'slug'],
    [{ slug: '018f0000-0000-7000-8000-000000000000' }, 'slug'],
    [{ maxUsers: 0 }, 'maxUsers'],
    [{ templates: ['nope'] }, 'templates.0'],
    [{ templates: ['crm', '"){__schema{types{name}}}'] }, 'templates.1'],
  ])('%j is refused by name and leaves nothing', async (input, field) => {
    const before = await countRows();
    const { errors, data } = await register(input);
    expect(errors[0].extensions).toMatchObject({ code: 'BAD_USER_INPUT', fields: [{ field }] });
    expect(data).toBeNull();
    expect(await countRows()).toEqual(before);
  });

  it('lists every broken rule at once', async () => {
    const { errors } = await register({ name: '', adminEmail: 'x', adminPassword: 'x', slug: 'X' });
    const fields = errors[0].extensions.fields.map((error: Anything) => error.field);
    expect(fields).toEqual(['name', 'adminEmail', 'adminPassword', 'slug']);
  });

  it('keeps metacharacters in names as they are', async () => {
    const name = `Robert'); DROP TABLE tenants;-- {"$ne": 1} \${7*7} <b>%_`;
    const { data } = await register({ name });
    expect(data.registerTenant.tenant.name).toBe(name);
  });

  it('names the slug that is taken', async () => {
    await register({ slug: 'taken-slug' });
    const before = await countRows();
    const { errors } = await register({ slug: 'taken-slug' });
    expect(errors[0].extensions).toMatchObject({
      code: 'CONFLICT',
      fields: [{ field: 'slug', rule: 'unique' }],
    });
    expect(await countRows()).toEqual(before);
  });

  it('gives a slug that many ask for at once to one of them', async () => {
    const answers = await Promise.all(Array.from({ length: 6 }, () => register({ slug: 'contested' })));
    expect(answers.filter((answer) => answer.data)).toHaveLength(1);
    for (const { errors } of answers) if (errors) expect(errors[0].extensions.code).toBe('CONFLICT');
  });
});

describe('templates', () => {
  it('are applied in the new tenant, each once, as the platform', async () => {
    subject.entities.asked.length = 0;
    const { data } = await register({ templates: ['crm', 'pim', 'crm'] });
    const applied = subject.entities.asked.filter((request) => request.query.includes('applyTemplate'));
    expect(applied.map((request) => request.variables)).toEqual([{ name: 'crm' }, { name: 'pim' }]);
    for (const { claims } of applied) {
      expect(claims).toMatchObject({
        tenantId: data.registerTenant.tenant.id,
        actorKind: 'SYSTEM',
        role: 'DEVELOPER',
      });
    }
  });

  it('that fail take the tenant with them', async () => {
    const before = await countRows();
    const { answer } = subject.entities;
    subject.entities.answer = (request) => {
      if (!request.query.includes('applyTemplate')) return answer(request);
      const failure = Object.assign(new Error('no'), { extensions: { code: 'CONFLICT' } });
      return { errors: [failure as Anything] };
    };
    try {
      const { errors, data } = await register({ slug: 'half-made', templates: ['crm'] });
      expect(errors[0].extensions.code).toBe('CONFLICT');
      expect(data).toBeNull();
      expect(await countRows()).toEqual(before);
    } finally {
      subject.entities.answer = answer;
    }
    expect((await register({ slug: 'half-made', templates: ['crm'] })).errors).toBeUndefined();
  });

  it('that cannot be reached take the tenant with them', async () => {
    const before = await countRows();
    const { answer } = subject.entities;
    subject.entities.answer = () => {
      throw new Error('secret connection string');
    };
    try {
      const { errors } = await register({ templates: ['crm'] });
      expect(errors[0]).toMatchObject({
        message: 'Internal error (request test)',
        extensions: { code: 'INTERNAL_SERVER_ERROR' },
      });
      expect(await countRows()).toEqual(before);
    } finally {
      subject.entities.answer = answer;
    }
  });

  it('are applied while nobody can sign in', async () => {
    const { answer } = subject.entities;
    let during: Promise<string> | undefined;
    subject.entities.answer = (request) => {
      during ??= subject.codeOf(
        anonymousClaims,
        'mutation ($input: LoginInput!) { login(input: $input) { accessToken } }',
        {
          input: { email: 'ada@acme.example', password, tenant: request.claims.tenantId },
        },
      );
      return answer(request);
    };
    try {
      await register({ templates: ['crm'] });
    } finally {
      subject.entities.answer = answer;
    }
    expect(['UNAUTHENTICATED', 'TENANT_SUSPENDED']).toContain(await during);
  });
});

it('removes what an interrupted registration left behind, and nothing else', async () => {
  const kept = await subject.register();
  const left = await subject.register();
  await admin.query(
    `update tenants set status = 'INACTIVE', settings = '{"__registration": "pending"}', created_at = now() - interval '1 hour' where id = $1`,
    [left.id],
  );
  await admin.query(
    `update tenants set status = 'INACTIVE', created_at = now() - interval '1 hour' where id = $1`,
    [kept.id],
  );
  const abandoned = await subject.store.tenants.findAbandoned(new Date(Date.now() - 60_000));
  expect(abandoned).toEqual([left.id]);
  await subject.store.tenants.remove(left.id);
  expect(await subject.store.tenants.findById(left.id)).toBeNull();
  expect(await subject.store.tenants.findById(kept.id)).not.toBeNull();
});
