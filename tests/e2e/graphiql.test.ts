/** GraphiQL as the product serves it, in Chromium, offline: a query and a subscription of a tenant's own types. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { findChromium, startBrowser } from '#tests/harness/browser.ts';
import { startProduct, type Product } from '#tests/harness/product.ts';
import { registerTenant } from '#tests/harness/tenant.ts';

const chromium = findChromium();
const cleanup = new AsyncDisposableStack();
let product: Product;

beforeAll(async () => {
  if (chromium) product = cleanup.use(await startProduct());
});
afterAll(() => cleanup.disposeAsync());

it.runIf(chromium)('runs a query and a subscription, and reaches for nothing outside', async () => {
  const tenant = await registerTenant(product);
  await tenant.admin.query(
    'mutation { createEntity(input: { name: "note", fields: [{ name: "text", type: TEXT }] }) { id } }',
  );
  await tenant.admin.query('mutation { createNote(input: { text: "written before" }) { id } }');

  await using browser = await startBrowser(chromium as string);
  const page = await browser.newPage({ viewport: { width: 1280, height: 720 } });
  const problems: string[] = [];
  page.on('pageerror', (error) => problems.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') problems.push(message.text());
  });
  page.on('request', (request) => {
    if (!request.url().startsWith(product.url) && !/^(data|blob):/.test(request.url()))
      problems.push(request.url());
  });

  await page.goto(`${product.url}/graphiql`);
  await page.locator('input[name=token]').fill(tenant.apiKey);
  const introspected = page.waitForResponse(
    (response) =>
      response.url().endsWith('/graphql') && response.request().headers()['authorization'] !== undefined,
  );
  await page.getByRole('button', { name: 'Use' }).click();
  expect((await introspected).status()).toBe(200);

  const editor = page.locator('.graphiql-query-editor .monaco-editor').first();
  const result = page.locator('.result-window .monaco-editor').first();
  // Monaco draws spaces as non-breaking ones.
  const readText = async (of: typeof editor) =>
    (await of.locator('.view-lines').textContent())?.replaceAll('\u00a0', ' ');
  const run = async (text: string) => {
    await editor.click();
    await page.keyboard.press('Control+A');
    await page.keyboard.insertText(text);
    // What the editor closed by itself.
    await page.keyboard.press('Control+Shift+End');
    await page.keyboard.press('Delete');
    await expect.poll(() => readText(editor)).toBe(text);
    await page.keyboard.press('Control+Enter');
  };

  await run('{ notes { totalCount nodes { text } } }');
  await expect.poll(() => readText(result)).toContain('written before');

  const subscribed = page
    .waitForEvent('websocket')
    .then((socket) =>
      socket.waitForEvent('framesent', {
        predicate: ({ payload }) => String(payload).includes('"subscribe"'),
      }),
    );
  await run('subscription { noteChanged { operation note { text } } }');
  await subscribed;
  // The subscription's place is taken some time after the frame left: write until it tells of one.
  await expect
    .poll(async () => {
      await tenant.admin.query('mutation { createNote(input: { text: "written after" }) { id } }');
      return readText(result);
    })
    .toContain('written after');

  if (process.env['SCREENSHOTS'])
    await page.screenshot({ path: `${process.env['SCREENSHOTS']}/product.png` });
  expect(problems).toEqual([]);
});
