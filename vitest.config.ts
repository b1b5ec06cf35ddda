import { defineConfig } from 'vitest/config';

/** Where .ci/run wants the numbers, beside what is printed. */
const report = process.env['TENANTRY_TEST_REPORT'];

const servers = ['tests/harness/shared-servers.ts'];

export default defineConfig({
  // As Node loads it. Vite would take the `module` build for our imports and leave CommonJS packages their own copy, and
  // graphql refuses a schema of another copy.
  resolve: { alias: [{ find: /^graphql$/, replacement: 'graphql/index.js' }] },
  test: {
    // Servers and databases that a test opened are closed by it; what hangs at the end is a bug to be seen.
    teardownTimeout: 20_000,
    ...(report ? { reporters: ['default', 'json'], outputFile: { json: report } } : {}),
    projects: [
      { extends: true, test: { name: 'unit', include: ['tests/unit/**/*.test.ts'], testTimeout: 20_000 } },
      {
        extends: true,
        test: {
          name: 'integration',
          include: ['tests/integration/**/*.test.ts'],
          globalSetup: servers,
          testTimeout: 30_000,
          expect: { poll: { timeout: 20_000 } },
          hookTimeout: 30_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'e2e',
          include: ['tests/e2e/**/*.test.ts'],
          globalSetup: servers,
          // Each file starts whole products: two at a time, after everything else.
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
          testTimeout: 120_000,
          expect: { poll: { timeout: 60_000 } },
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
