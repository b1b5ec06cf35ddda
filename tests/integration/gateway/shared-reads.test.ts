/** How often a subgraph is asked when many clients ask the gateway for the same at once. */
import { describe, expect, it } from 'vitest';
import { createHttpIdentity, createHttpSubgraph } from '#gateway/execution/http/http-subgraph.ts';
import { createClaimsSigner } from '#gateway/execution/http/claims-signer.ts';
import { overHttp, secret, type ServedSubgraph } from './fixtures/over-http.ts';
import { startTestGateway, type TestGateway } from './fixtures/test-gateway.ts';

/** The gateway as `gateway/main.ts` wires it: subgraphs over HTTP, with or without shared reads. */
async function start(shareReads: boolean): Promise<Counted> {
  const wanted = { entities: 0 };
  const served: ServedSubgraph[] = [];
  const platform = await startTestGateway({
    async between(services, identity, stack) {
      await overHttp(served)(services, identity, stack);
      const signer = createClaimsSigner(secret);
      const options = served.map(({ name, url }) => ({ name, url, signer, shareReads }));
      const tenants = served.find(({ name }) => name === 'tenants')?.url ?? '';
      return {
        services: options.map((option) => {
          const service = stack.use(createHttpSubgraph(option));
          return {
            ...service,
            execute(request) {
              if (service.name === 'entities') wanted.entities += 1;
              return service.execute(request);
            },
          };
        }),
        identity: stack.use(createHttpIdentity({ name: 'tenants', url: tenants, signer })),
      };
    },
  });
  return Object.assign(platform, { wanted });
}

interface Counted extends TestGateway {
  /** How often the gateway wanted something of it, whether it had to ask or not. */
  readonly wanted: { entities: number };
}

const query = '{ movies { id title createdBy { email } } }';
const count = 20;

/** Sends the same for each of `authorizations` `count` times at once; answers how often each subgraph was asked. */
async function askAtOnce(platform: Counted, text: string, authorizations: readonly string[]) {
  const gate = Promise.withResolvers<void>();
  platform.subgraphs.hold = gate.promise;
  const before = platform.subgraphs.seen.length;
  const wantedBefore = platform.wanted.entities;
  const asked = (): string[] => platform.subgraphs.seen.slice(before).map(({ subgraph }) => subgraph);
  const answers = Promise.all(
    authorizations.flatMap((authorization) =>
      Array.from({ length: count }, () => platform.post(text, { authorization })),
    ),
  );
  await expect.poll(() => platform.wanted.entities - wantedBefore).toBe(count * authorizations.length);
  platform.subgraphs.hold = null;
  gate.resolve();
  const failed = (await answers).filter(({ errors }) => errors);
  expect(failed).toEqual([]);
  const times = (name: string): number => asked().filter((subgraph) => subgraph === name).length;
  return { entities: times('entities'), tenants: times('tenants'), answers: await answers };
}

async function withMovie(platform: Counted) {
  const acme = platform.addTenant('acme');
  const one = await platform.signIn(acme, 'ADMIN');
  const two = await platform.signIn(acme, 'USER');
  await platform.post('mutation { createMovie(title: "Cléo") { id } }', { authorization: one });
  // Known beforehand, so that no client waits for the plan.
  for (const authorization of [one, two]) await platform.post(query, { authorization });
  return { acme, one, two };
}

describe('equal reads under way at once', () => {
  it('of one identity are one read of each subgraph', async () => {
    await using platform = await start(true);
    const { one } = await withMovie(platform);
    const { entities, tenants, answers } = await askAtOnce(platform, query, [one]);
    expect([entities, tenants]).toEqual([1, 1]);
    for (const { data } of answers) {
      expect(data).toEqual({
        movies: [{ id: 'm1', title: 'Cléo', createdBy: { email: 'user-1@example.com' } }],
      });
    }
  });

  it('of two identities are two', async () => {
    await using platform = await start(true);
    const { one, two } = await withMovie(platform);
    const { entities, tenants } = await askAtOnce(platform, query, [one, two]);
    expect([entities, tenants]).toEqual([2, 2]);
  });

  it('of two tenants are two, each with its own', async () => {
    await using platform = await start(true);
    const { one } = await withMovie(platform);
    const other = await platform.signIn(platform.addTenant('globex'), 'ADMIN');
    await platform.post(query, { authorization: other });
    const { entities, answers } = await askAtOnce(platform, query, [one, other]);
    expect(entities).toBe(2);
    expect(answers.map(({ data }) => data.movies.length)).toEqual([
      ...Array.from({ length: count }, () => 1),
      ...Array.from({ length: count }, () => 0),
    ]);
  });

  it('are never mutations', async () => {
    await using platform = await start(true);
    const { acme, one } = await withMovie(platform);
    const mutation = 'mutation { createMovie(title: "Agnès") { title } }';
    await platform.post(mutation, { authorization: one });
    const { entities } = await askAtOnce(platform, mutation, [one]);
    expect([entities, acme.movies.size]).toEqual([count, 2 + count]);
  });

  it('are all made where SHARE_IN_FLIGHT is off', async () => {
    await using platform = await start(false);
    const { one } = await withMovie(platform);
    const { entities, tenants } = await askAtOnce(platform, query, [one]);
    expect([entities, tenants]).toEqual([count, count]);
  });
});
