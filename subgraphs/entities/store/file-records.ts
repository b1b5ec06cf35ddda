/** What is kept of files, in PostgreSQL. */
import type { RecordDatabase, Statement } from '#prisma/record-database.ts';
import type { Claims } from '#schema/claims.ts';
import type { FileRecords, KnownFile } from '../files/file-records.ts';
import { type FileRow, fileColumns, toKnownFile } from './file-rows.ts';

const own = 'tenant_id = (select current_tenant_id())';
const returning = `returning ${fileColumns}`;

/** Holds no state; disposed of with the database. */
export function createFileRecords(database: RecordDatabase): FileRecords {
  async function one(claims: Claims, statement: Statement): Promise<KnownFile | null> {
    const [row] = await database.read<FileRow>(claims, statement);
    return row ? toKnownFile(row) : null;
  }

  const find = (claims: Claims, id: string): Promise<KnownFile | null> =>
    one(claims, {
      name: 'files_find',
      text: `select ${fileColumns} from files where ${own} and id = $1`,
      values: [id],
    });

  return {
    find,

    async insert(claims, { id, name, contentType, size }) {
      const inserted = await one(claims, {
        text: `insert into files (tenant_id, id, name, content_type, size, actor_kind, actor_id)
          values ((select current_tenant_id()), $1, $2, $3, $4, $5, $6) on conflict do nothing ${returning}`,
        values: [id, name, contentType, size, claims.actorKind, claims.actorId],
      });
      return inserted ?? ((await find(claims, id)) as KnownFile);
    },

    async findAttached(claims, ids) {
      const rows = await database.read<FileRow>(claims, {
        text: `select ${fileColumns} from files where ${own} and id = any($1::uuid[]) and state = 'ATTACHED'`,
        values: [ids],
      });
      return rows.map(toKnownFile);
    },

    async measure(claims) {
      const text = `select coalesce(sum(size), 0)::float8 as bytes, count(*) filter (where state <> 'ATTACHED') as loose from files where ${own}`;
      const [row] = await database.read<{ bytes: number; loose: number }>(claims, { text });
      return row ?? { bytes: 0, loose: 0 };
    },

    async begin(claims, id, contentId) {
      const text = `update files set content_id = $2, changed_at = now() where ${own} and id = $1 and state = 'PENDING' returning id`;
      return (await database.read(claims, { text, values: [id, contentId] })).length > 0;
    },

    complete: (claims, id, { contentId, contentType, size, sha256 }) =>
      one(claims, {
        text: `update files set state = 'READY', content_type = $3, size = $4, sha256 = $5, changed_at = now()
          where ${own} and id = $1 and content_id = $2 and state = 'PENDING' ${returning}`,
        values: [id, contentId, contentType, size, sha256],
      }),

    findLoose: (before, limit) =>
      database.platform({
        text: `select tenant_id as "tenantId", id from files where state <> 'ATTACHED' and changed_at < $1 order by changed_at limit $2`,
        values: [before, limit],
      }),

    async beginRemoval(claims, id, before) {
      const [row] = await database.read<{ contentId: string | null }>(claims, {
        text: `update files set state = 'REMOVING', changed_at = now() where ${own} and id = $1 and state <> 'ATTACHED' and changed_at < $2 returning content_id as "contentId"`,
        values: [id, before],
      });
      return row ?? null;
    },

    async forget(claims, id) {
      const text = `delete from files where ${own} and id = $1 and state = 'REMOVING'`;
      await database.read(claims, { text, values: [id] });
    },
  };
}
