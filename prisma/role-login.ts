/** Lets tenantry_app and tenantry_platform log in, and refuses roles that could see past row-level security. */
import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import pg from 'pg';
import { type DatabaseRole, databaseRoles, roleUrl } from './roles.ts';

/** Two databases of one cluster that alter a role at once: "tuple concurrently updated" has no SQLSTATE of its own. */
const concurrentUpdate = new Set(['XX000', '40001', '40P01']);
const attempts = 20;

/**
 * Gives the roles the right to log in with `rolePassword`, where they cannot already: who manages roles by hand keeps
 * them untouched. Throws where a role is a superuser or bypasses row-level security.
 */
export async function allowRolesToLogIn(
  client: pg.Client,
  url: string,
  rolePassword: string | null,
): Promise<void> {
  for (const role of Object.values(databaseRoles)) {
    await refusePowerful(client, role);
    if ((await logInProblem(url, role, rolePassword)) === null) continue;
    await alterRole(client, role, rolePassword);
    const problem = await logInProblem(url, role, rolePassword);
    if (problem !== null) {
      throw new Error(
        `PostgreSQL does not let the role ${role} log in (${problem}). Its password is derived from SUBGRAPH_SECRET; ` +
          'check pg_hba.conf, or whether another installation with another secret uses this cluster.',
      );
    }
  }
}

/** Throws where `role` is not there, is a superuser or has BYPASSRLS. */
export async function refusePowerful(client: pg.Client, role: string): Promise<void> {
  const { rows } = await client.query(
    'select rolsuper or rolbypassrls as powerful from pg_catalog.pg_roles where rolname = $1',
    [role],
  );
  if (rows[0]?.powerful !== false) {
    throw new Error(
      `The role ${role} must be neither a superuser nor BYPASSRLS: tenants would not be kept apart`,
    );
  }
}

/** Null where the role can log in, else PostgreSQL's reason. */
async function logInProblem(
  url: string,
  role: DatabaseRole,
  rolePassword: string | null,
): Promise<string | null> {
  const probe = new pg.Client({ connectionString: roleUrl(url, role, rolePassword) });
  probe.on('error', () => {});
  try {
    await probe.connect();
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    await probe.end().catch(() => {});
  }
}

async function alterRole(client: pg.Client, role: DatabaseRole, rolePassword: string | null): Promise<void> {
  const password = rolePassword === null ? '' : ` password ${pg.escapeLiteral(scramVerifier(rolePassword))}`;
  for (let attempt = 1; ; attempt += 1) {
    try {
      await client.query(`alter role ${role} login${password}`);
      return;
    } catch (error) {
      const code = error instanceof pg.DatabaseError ? error.code : undefined;
      if (code === '42501') {
        throw new Error(
          `The role ${role} cannot log in, and this database user may not change that. As a superuser, run: ` +
            `alter role ${role} login password '…', with the password that the product derives from SUBGRAPH_SECRET ` +
            '(npm run --silent migrate -- --print-role-password)',
          { cause: error },
        );
      }
      if (attempt >= attempts || !concurrentUpdate.has(code ?? '')) throw error;
      await wait(5 + Math.random() * 20);
    }
  }
}

/** What PostgreSQL stores for a password (RFC 5803). Sent in its place, the password never stands in a server's log. */
function scramVerifier(password: string): string {
  const iterations = 4096;
  const salt = randomBytes(16);
  const salted = pbkdf2Sync(password, salt, iterations, 32, 'sha256');
  const sign = (text: string) => createHmac('sha256', salted).update(text).digest();
  const storedKey = createHash('sha256').update(sign('Client Key')).digest('base64');
  const serverKey = sign('Server Key').toString('base64');
  return `SCRAM-SHA-256$${iterations}:${salt.toString('base64')}$${storedKey}:${serverKey}`;
}
