/** The IDE as the product serves it, in a real browser with no way out: a tenant's own types, a query, a live subscription. */
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { findChromium, startBrowser } from '#tests/harness/browser.ts';
import { startProduct, type Product } from '#tests/harness/product.ts';
import { registerTenant, type TestTenant } from '#tests/harness/tenant.ts';

let product: Product;
let tenant: TestTenant;
const chromium = findChromium();

beforeAll(async () => {
  product = await startProduct();
  tenant = await registerTenant(product);
  await tenant.admin.query(
    `mutation { createEntity(input: { name: "contact", fields: [{ name: "name", type: TEXT }] }) { id } }`,
  );
  await tenant.admin.query(`mutation { createContact(input: { name: "Ada Lovelace" }) { id } }`);
});
afterAll(() => product[Symbol.asyncDispose]());

async function run(page: Page, operation: string): Promise<void> {
  const editor = page.locator('.graphiql-query-editor .monaco-editor').first();
  await editor.click();
  await page.keyboard.press('Control+A');
  await page.keyboard.insertText(operation);
  await page.keyboard.press('Control+Shift+End');
  await page.keyboard.press('Delete');
  await expect.poll(() => textOf(page, '.graphiql-query-editor')).toBe(operation);
  await page.keyboard.press('Control+Enter');
}

/** What an editor shows; Monaco draws spaces as non-breaking ones. */
async function textOf(page: Page, pane: string): Promise<string> {
  const text = await page.locator(`${pane} .monaco-editor .view-lines`).first().textContent();
  return (text ?? '').replaceAll('\u00a0', ' ');
}

it.runIf(chromium)(
  'runs a query and a subscription on the tenant’s own types, without a network',
  async () => {
    await using browser = await startBrowser(chromium as string);
    const page = await browser.newPage({ viewport: { width: 1280, height: 720 } });
    page.setDefaultTimeout(90_000);
    const foreign: string[] = [];
    const failures: string[] = [];
    page.on('request', (request) => {
      if (!request.url().startsWith(product.url) && !/^(data|blob):/.test(request.url()))
        foreign.push(request.url());
    });
    page.on('pageerror', (error) => failures.push(error.message));
    page.on('console', (message) => {
      if (message.type() === 'error' && /Content Security Policy/.test(message.text()))
        failures.push(message.text());
    });

    await page.goto(`${product.url}/graphiql`);
    await page.locator('input[name=token]').fill(tenant.apiKey);
    const introspected = page.waitForResponse(
      async (response) =>
        response.url().endsWith('/graphql') && (await response.text()).includes('"name":"ContactConnection"'),
    );
    await page.getByRole('button', { name: 'Use' }).click();
    await introspected;

    await run(page, '{ contacts { nodes { name } } }');
    await expect.poll(() => textOf(page, '.result-window')).toContain('Ada Lovelace');

    await run(page, 'subscription { contactChanged { operation contact { name } } }');
    // Writes until the page shows one: the IDE does not tell when its subscription stands.
    await expect
      .poll(
        async () => {
          await tenant.admin.query(`mutation { createContact(input: { name: "Grace Hopper" }) { id } }`);
          return textOf(page, '.result-window');
        },
        { interval: 300, timeout: 20_000 },
      )
      .toContain('Grace Hopper');

    if (process.env['SCREENSHOTS'])
      await page.screenshot({ path: `${process.env['SCREENSHOTS']}/product-graphiql.png` });
    expect(foreign).toEqual([]);
    expect(failures).toEqual([]);
  },
);
