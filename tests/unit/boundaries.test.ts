/** That the import rules find what they are there to find: a rule with a typo complains of nothing. */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const root = join(import.meta.dirname, '../..');

/** Checks a tree of these files; what the check printed, and whether it passed. */
async function check(files: Record<string, string>): Promise<{ output: string; passed: boolean }> {
  const folder = await mkdtemp(join(tmpdir(), 'tenantry-boundaries-'));
  try {
    const { imports } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { imports: object };
    const all = { 'package.json': JSON.stringify({ type: 'module', imports }), ...files };
    for (const [path, text] of Object.entries(all)) {
      await mkdir(dirname(join(folder, path)), { recursive: true });
      await writeFile(join(folder, path), text);
    }
    return await promisify(execFile)(process.execPath, [join(root, 'tests/boundaries.ts'), folder]).then(
      ({ stdout }) => ({ output: stdout, passed: true }),
      (error: { stdout: string; stderr: string }) => ({ output: error.stdout + error.stderr, passed: false }),
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const target = { 'schema/a.ts': 'export const a = 1;\n' };
const uses = (specifier: string) => `import { a } from '${specifier}';\nexport const b = a;\n`;
const exportsA = 'export const a = 1;\n';

it('lets through what is allowed', async () => {
  const { output, passed } = await check({
    ...target,
    'prisma/a.ts': uses('#schema/a.ts').replace('b = a', 'a2 = a') + 'export { a } from "#schema/a.ts";\n',
    'subgraphs/model/a.ts': exportsA,
    'subgraphs/server/a.ts': uses('#schema/a.ts'),
    'subgraphs/tenants/store/a.ts': uses('#prisma/a.ts'),
    'subgraphs/tenants/main.ts': uses('#prisma/a.ts'),
    'subgraphs/tenants/service.ts': uses('#subgraphs/model/a.ts'),
    'gateway/a.ts': uses('#schema/a.ts'),
    'main.ts': uses('#prisma/a.ts'),
    'tests/a.ts': `${uses('#gateway/a.ts').replace('{ a }', '{ b as a }')}export async function f() { await using x = b; return x; }\n`,
  });
  expect(output).toContain('no dependency violations found');
  expect(passed).toBe(true);
});

/** Rule, importing file, what it imports. */
const forbidden: [string, string, string][] = [
  ['schema-is-the-bottom', 'schema/b.ts', '#prisma/a.ts'],
  ['prisma-imports-schema-only', 'prisma/b.ts', '#subgraphs/model/a.ts'],
  ['shared-subgraph-code-imports-schema-only', 'subgraphs/model/b.ts', '#subgraphs/server/a.ts'],
  ['shared-subgraph-code-imports-schema-only', 'subgraphs/server/b.ts', '#prisma/a.ts'],
  ['subgraphs-do-not-know-each-other', 'subgraphs/tenants/b.ts', '#subgraphs/entities/a.ts'],
  ['subgraphs-do-not-know-each-other', 'subgraphs/realtime/b.ts', '#gateway/a.ts'],
  ['database-from-stores-only', 'subgraphs/tenants/resolvers/b.ts', '#prisma/a.ts'],
  ['gateway-imports-schema-only', 'gateway/b.ts', '#subgraphs/model/a.ts'],
  ['gateway-imports-schema-only', 'gateway/c.ts', '../prisma/a.ts'],
  ['product-does-not-import-tests', 'gateway/d.ts', '#tests/a.ts'],
  ['imports-resolve', 'gateway/e.ts', './missing.ts'],
];

it('finds each import that is not allowed', async () => {
  const targets = [
    'schema',
    'prisma',
    'subgraphs/model',
    'subgraphs/server',
    'subgraphs/entities',
    'gateway',
    'tests',
  ];
  const { output, passed } = await check({
    ...Object.fromEntries(targets.map((folder) => [`${folder}/a.ts`, exportsA])),
    ...Object.fromEntries(forbidden.map(([, from, specifier]) => [from, uses(specifier)])),
  });
  for (const [rule, from] of forbidden) expect(output).toContain(`error ${rule}: ${from} →`);
  expect(passed).toBe(false);
});

it('finds a circle, and an import behind `await using`', async () => {
  const { output } = await check({
    'gateway/a.ts': uses('./b.ts').replace('{ a }', '{ b as a }'),
    'gateway/b.ts': `export const b = 1;\nexport async function f() { await using x = b; return x; }\nimport('./a.ts');\n`,
  });
  expect(output).toContain('error no-cycles: gateway/');
});

it('fails when it saw nothing', async () => {
  const { output, passed } = await check({ 'gateway/readme.md': '' });
  expect(output).toContain('dependency-cruiser saw no modules');
  expect(passed).toBe(false);
});
