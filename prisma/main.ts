/**
 * `npm run migrate`: migrates DATABASE_URL and lets the product's roles log in, then ends. `--print-role-password` only
 * prints the password that SUBGRAPH_SECRET stands for, for who manages roles by hand.
 */
import { migrate } from './migrate.ts';
import { deriveRolePassword } from './roles.ts';

const { DATABASE_URL: url, SUBGRAPH_SECRET: secret } = process.env;

if (!secret) {
  fail('SUBGRAPH_SECRET is not set: the passwords of the database roles are derived from it');
} else if (process.argv.includes('--print-role-password')) {
  process.stdout.write(`${deriveRolePassword(secret)}\n`);
} else if (!url) {
  fail('DATABASE_URL is not set. (The embedded PostgreSQL of `npm start` migrates itself at each start.)');
} else {
  try {
    const { applied } = await migrate({ url, rolePassword: deriveRolePassword(secret) });
    const what = applied.length === 0 ? 'nothing to apply' : `applied ${applied.join(', ')}`;
    process.stdout.write(`The database is up to date: ${what}\n`);
  } catch (error) {
    fail(error instanceof Error ? error.message : String(error));
  }
}

function fail(message: string): void {
  process.stderr.write(`${message}\n`);
  process.exitCode = 1;
}
