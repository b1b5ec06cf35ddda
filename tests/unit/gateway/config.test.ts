import { describe, expect, it } from 'vitest';
import { readGatewayConfig } from '#gateway/config.ts';

const secret = 'sixteen characters or more';

const extraRule =
  'name=http://…, separated by commas, each name once and none of tenants, entities, realtime';

describe('readGatewayConfig', () => {
  it('has a default for everything outside production', () => {
    expect(readGatewayConfig({})).toMatchObject({
      port: 4_000,
      introspection: true,
      subgraphUrls: { tenants: null, entities: null, realtime: null },
      allowedOrigins: [],
      trustProxy: false,
    });
  });

  it('reads what is set, and counts an empty value as none', () => {
    const config = readGatewayConfig({
      PORT: '0',
      TENANTS_URL: 'http://tenants:4001',
      ENTITIES_URL: '',
      INTROSPECTION: 'false',
      ALLOWED_ORIGINS: 'https://a.example, https://b.example:8443',
      EXTRA_SUBGRAPHS: 'reviews=http://reviews:5001/graphql, stock=https://stock/graphql',
      FORWARD_HEADERS: 'X-Color, accept-language',
    });
    expect([...config.extraSubgraphs]).toEqual([
      ['reviews', 'http://reviews:5001/graphql'],
      ['stock', 'https://stock/graphql'],
    ]);
    expect(config).toMatchObject({
      forwardHeaders: ['x-color', 'accept-language'],
      port: 0,
      introspection: false,
      subgraphUrls: { tenants: 'http://tenants:4001', entities: null },
      allowedOrigins: ['https://a.example', 'https://b.example:8443'],
    });
  });

  it.each([
    ['PORT', '70000', 'a whole number from 0 to 65535'],
    ['PORT', '4000x', 'a whole number from 0 to 65535'],
    ['REALTIME_URL', 'ftp://there', 'http://… or https://…'],
    ['ENTITIES_URL', 'entities:4002', 'http://… or https://…'],
    ['INTROSPECTION', 'yes', 'true or false'],
    ['GRAPH_HEAP_MB', '1', 'a whole number from 16 to 1000000'],
    ['LOG_LEVEL', 'loud', 'one of fatal, error, warn, info, debug, trace, silent'],
    ['ALLOWED_ORIGINS', 'https://a.example/page', 'origins ("https://app.example.com"), separated by commas'],
    ['BASE_DOMAIN', 'Example Com', 'a domain name in lower case'],
    ['EXTRA_SUBGRAPHS', 'reviews', extraRule],
    ['EXTRA_SUBGRAPHS', 'reviews=ftp://there', extraRule],
    ['EXTRA_SUBGRAPHS', 'entities=http://there/graphql', extraRule],
    ['EXTRA_SUBGRAPHS', 'Tenants=http://there/graphql', extraRule],
    ['EXTRA_SUBGRAPHS', 'a=http://there,A=http://here', extraRule],
    ['EXTRA_SUBGRAPHS', 'a=http://there,a=http://here', extraRule],
    [
      'FORWARD_HEADERS',
      'x-tenantry-claims',
      'names of headers, separated by commas, that are not the gateway’s own',
    ],
  ])('names %s, that it was "%s" and what it may be', (name, value, rule) => {
    expect(() => readGatewayConfig({ [name]: value })).toThrow(`${name} was "${value}": it must be ${rule}`);
  });

  it('lists everything that is wrong at once', () => {
    expect(() => readGatewayConfig({ PORT: '-1', TRUST_PROXY: 'perhaps' })).toThrow(/PORT[^]*TRUST_PROXY/);
  });

  it('wants a secret in production, and never shows one', () => {
    expect(() => readGatewayConfig({ NODE_ENV: 'production' })).toThrow('SUBGRAPH_SECRET is not set');
    const attempt = () => readGatewayConfig({ NODE_ENV: 'production', SUBGRAPH_SECRET: 'hunter2' });
    expect(attempt).toThrow('SUBGRAPH_SECRET has 7 characters');
    expect(attempt).not.toThrow(/hunter2/);
    expect(readGatewayConfig({ NODE_ENV: 'production', SUBGRAPH_SECRET: secret }).subgraphSecret).toBe(
      secret,
    );
  });
});
