import { describe, expect, it } from 'vitest';
import { readTenantsConfig } from '#subgraphs/tenants/config.ts';

const good = {
  DATABASE_URL: 'postgres://user:hidden@db/tenantry',
  SUBGRAPH_SECRET: 'a secret of sixteen or more',
  ENTITIES_URL: 'http://entities:4002',
};

describe('the tenants process', () => {
  it('needs little, and has defaults for the rest', () => {
    expect(readTenantsConfig(good)).toEqual({
      databaseUrl: good.DATABASE_URL,
      secret: good.SUBGRAPH_SECRET,
      entitiesUrl: good.ENTITIES_URL,
      port: 4001,
      host: '0.0.0.0',
      redisUrl: null,
      logLevel: 'info',
      operator: null,
    });
    const operator = { OPERATOR_EMAIL: 'op@x.example', OPERATOR_PASSWORD: 'long enough' };
    expect(readTenantsConfig({ ...good, ...operator }).operator).toEqual({
      email: 'op@x.example',
      password: 'long enough',
    });
  });

  it.each([
    [{ DATABASE_URL: undefined }, 'DATABASE_URL is not set'],
    [{ DATABASE_URL: 'mysql://user:hidden@db' }, 'DATABASE_URL'],
    [{ SUBGRAPH_SECRET: undefined }, 'SUBGRAPH_SECRET is not set'],
    [{ SUBGRAPH_SECRET: 'short-hidden' }, 'SUBGRAPH_SECRET'],
    [{ PORT: '99999' }, 'PORT'],
    [{ PORT: '-1' }, 'PORT'],
    [{ REDIS_URL: 'http://hidden' }, 'REDIS_URL'],
    [{ LOG_LEVEL: 'loud' }, 'LOG_LEVEL'],
    [{ ENTITIES_URL: '' }, 'ENTITIES_URL is not set'],
    [{ OPERATOR_EMAIL: 'op@x.example' }, 'OPERATOR_PASSWORD is not set'],
    [{ OPERATOR_PASSWORD: 'long enough hidden' }, 'OPERATOR_EMAIL is not set'],
    [{ OPERATOR_EMAIL: 'op@x.example', OPERATOR_PASSWORD: 'hidden' }, 'OPERATOR_PASSWORD'],
  ])('with %j says which variable is wrong, and no secret', (wrong, named) => {
    const read = () => readTenantsConfig({ ...good, ...wrong });
    expect(read).toThrow(named);
    expect(read).not.toThrow(/hidden/);
  });

  it('says all that is wrong at once', () => {
    expect(() => readTenantsConfig({})).toThrow(/DATABASE_URL[^]*SUBGRAPH_SECRET[^]*ENTITIES_URL/);
  });
});
