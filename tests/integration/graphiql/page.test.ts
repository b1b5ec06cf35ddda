/** The page alone, against a small graph; tests/e2e has it with the product. */
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import fastifyStatic from '@fastify/static';
import fastify from 'fastify';
import { buildSchema, graphql } from 'graphql';
import { useServer } from 'graphql-ws/use/ws';
import { expect, it } from 'vitest';
import { WebSocketServer } from 'ws';
import { graphiqlFolder } from '#gateway/http/graphiql/folder.ts';
import { findChromium, startBrowser } from '#tests/harness/browser.ts';

const schema = buildSchema(`
  type Query { greeting(name: String): String }
  type Subscription { ticks: Int }
`);

/** Serves page and graph; remembers how it was addressed. */
async function startGraph() {
  const seen = { headers: [] as IncomingMessage['headers'][], connectionParams: [] as unknown[] };
  const app = fastify({ serverFactory: (handler) => createServer(handler) });
  await app.register(fastifyStatic, { root: graphiqlFolder(), prefix: '/graphiql/' });
  app.post('/graphql', async (request) => {
    seen.headers.push(request.headers);
    const { query, variables } = request.body as { query: string; variables?: Record<string, unknown> };
    return graphql({
      schema,
      source: query,
      variableValues: variables,
      rootValue: { greeting: () => 'hello from HTTP' },
    });
  });
  await app.listen({ port: 0, host: '127.0.0.1' });
  const sockets = new WebSocketServer({ server: app.server, path: '/graphql' });
  const ws = useServer(
    {
      schema,
      onConnect({ connectionParams }) {
        seen.connectionParams.push(connectionParams);
      },
      roots: {
        subscription: {
          async *ticks() {
            yield { ticks: 41 };
            yield { ticks: 42 };
          },
        },
      },
    },
    sockets,
  );
  const { port } = app.server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    seen,
    async [Symbol.asyncDispose]() {
      await ws.dispose();
      app.server.closeAllConnections();
      await app.close();
    },
  };
}

const chromium = findChromium();

it.runIf(chromium)(
  'runs queries and subscriptions with remembered credentials, without a network',
  async () => {
    await using graph = await startGraph();
    await using browser = await startBrowser(chromium as string);
    const page = await browser.newPage({ viewport: { width: 1280, height: 720 } });
    const foreign: string[] = [];
    const failures: string[] = [];
    page.on('request', (request) => {
      if (!/^(http:\/\/127\.0\.0\.1|data:|blob:)/.test(request.url())) foreign.push(request.url());
    });
    page.on('pageerror', (error) => failures.push(error.message));

    await page.goto(`${graph.url}/graphiql/`);
    await page.locator('input[name=token]').fill('tk_secret');
    await page.locator('input[name=tenant]').fill('acme');
    await page.getByRole('button', { name: 'Use' }).click();
    // Introspected under the new credentials: the editor knows the schema from here on.
    await expect
      .poll(() => graph.seen.headers.at(-1))
      .toMatchObject({ authorization: 'ApiKey tk_secret', 'x-tenant-id': 'acme' });

    const editor = page.locator('.graphiql-query-editor .monaco-editor').first();
    const result = page.locator('.result-window .monaco-editor').first();
    // Monaco draws spaces as non-breaking ones.
    const readText = async (of: typeof editor) =>
      (await of.locator('.view-lines').textContent())?.replaceAll('\u00a0', ' ');
    const type = async (text: string) => {
      await editor.click();
      await page.keyboard.press('Control+A');
      await page.keyboard.insertText(text);
      // What the editor closed by itself.
      await page.keyboard.press('Control+Shift+End');
      await page.keyboard.press('Delete');
      await expect.poll(() => readText(editor)).toBe(text);
      await page.keyboard.press('Control+Enter');
    };

    await type('{ greeting }');
    await expect.poll(() => readText(result)).toContain('hello from HTTP');

    await type('subscription { ticks }');
    await expect.poll(() => readText(result)).toContain('42');
    expect(graph.seen.connectionParams).toEqual([
      { authorization: 'ApiKey tk_secret', 'x-tenant-id': 'acme' },
    ]);

    if (process.env['SCREENSHOTS'])
      await page.screenshot({ path: `${process.env['SCREENSHOTS']}/graphiql.png` });

    await page.reload();
    await expect.poll(() => page.locator('input[name=token]').inputValue()).toBe('tk_secret');
    await page.getByRole('button', { name: 'Forget' }).click();
    await expect.poll(() => graph.seen.headers.at(-1)?.authorization).toBeUndefined();
    expect(await page.evaluate(() => localStorage.getItem('tenantry:credentials'))).toBe(
      '{"token":"","tenant":""}',
    );

    expect(foreign).toEqual([]);
    expect(failures).toEqual([]);
  },
);
