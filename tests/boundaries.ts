/**
 * `npm run check:boundaries`: who may import whom (.dependency-cruiser.json), and nobody in a circle. An argument names
 * another tree of the same shape (the rules' own test).
 */
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { cruise, format, type ICruiseOptions, type IForbiddenRuleType } from 'dependency-cruiser';

const ours = join(import.meta.dirname, '..');
process.chdir(process.argv[2] ?? ours);

// swc parses `await using`, and its visitor (with which dependency-cruiser finds imports) stops at it.
interface Visitor {
  visitStatement(statement: { type: string }): unknown;
  visitVariableDeclaration(statement: { type: string }): unknown;
}
const { Visitor } = createRequire(import.meta.url)('@swc/core/Visitor.js') as {
  Visitor: { prototype: Visitor };
};
const { visitStatement } = Visitor.prototype;
Visitor.prototype.visitStatement = function (this: Visitor, statement) {
  if (statement.type === 'UsingDeclaration') {
    return this.visitVariableDeclaration({
      ...statement,
      declarations: (statement as { decls?: unknown }).decls,
    } as never);
  }
  return visitStatement.call(this, statement);
};

const { forbidden, options } = JSON.parse(readFileSync(join(ours, '.dependency-cruiser.json'), 'utf8')) as {
  forbidden: IForbiddenRuleType[];
  options: ICruiseOptions;
};
const folders = ['main.ts', 'schema', 'prisma', 'subgraphs', 'gateway', 'tests'].filter((path) =>
  existsSync(path),
);

const { output } = await cruise(folders, {
  ...options,
  ruleSet: { forbidden },
  validate: true,
});
if (typeof output === 'string') throw new Error(`dependency-cruiser answered with text: ${output}`);

const modules = output.modules.filter(({ source }) => !source.includes('node_modules'));
const imports = modules.reduce((sum, module) => sum + module.dependencies.length, 0);
// With a parser that cannot read TypeScript it sees nothing, and has nothing to complain about.
if (modules.length === 0 || imports === 0)
  throw new Error('dependency-cruiser saw no modules, or no imports in them');

const report = await format(output, { outputType: 'err' });
process.stdout.write(`${report.output as string}\n`);
if (output.summary.error > 0) process.exitCode = 1;
