/**
 * Files that records hold: a write names a file by its id, and here what is known of it takes the id's place in the data.
 * A file is held by one field of one record. Who attaches it is who uploaded it; the record that held it last may take it
 * back while it is there.
 */
import { DomainError, type FieldError, invalidInput } from '#schema/errors.ts';
import type { TenantTransaction } from '#prisma/record-database.ts';
import { storedFields } from '#subgraphs/model/activation.ts';
import type { EntityDefinition, FieldDefinition } from '#subgraphs/model/definition.ts';
import { checkFile, isStoredFile, toStoredFile } from '#subgraphs/model/values/file.ts';
import type { InputData } from '#subgraphs/model/values/input.ts';
import { toFileFacts } from '../files/file-facts.ts';
import { isUploader } from '../files/file-records.ts';
import { type FileRow, fileColumns } from './file-rows.ts';
import type { WriteScope } from './write-scope.ts';

/** A record that is written. */
export interface WrittenFiles {
  readonly recordId: string;
  /** Values by key, ids for files; they are replaced in place. */
  readonly data: InputData;
  /** What it held before; absent for a new record. */
  readonly before?: Readonly<Record<string, unknown>>;
  readonly path: string | undefined;
}

interface Wish {
  readonly written: WrittenFiles;
  readonly field: FieldDefinition;
  readonly fileId: string;
  readonly at: string;
}

// In id order, so that two writes do not wait for each other.
const lockText = `select ${fileColumns} from files where tenant_id = $1::uuid and id = any($2::uuid[]) order by id for update`;
const attachText = `update files f set state = 'ATTACHED', changed_at = now(), entity_id = $2::uuid, record_id = u.r, field_key = u.k
  from unnest($3::uuid[], $4::uuid[], $5::text[]) as u (f, r, k) where f.tenant_id = $1::uuid and f.id = u.f`;
const letGoText = `update files set state = 'DETACHED', changed_at = now()
  where tenant_id = $1::uuid and id = any($2::uuid[]) and state = 'ATTACHED' and entity_id = $3::uuid and record_id = any($4::uuid[])`;

/**
 * Attaches the files that `all` name, and lets go of those that they held in the same fields. BAD_USER_INPUT for a file
 * that is unknown, another's upload, without content or against the field's limits; CONFLICT for one that is held
 * elsewhere. Nothing is asked where no FILE field is written.
 */
export async function attachFiles(
  scope: WriteScope,
  entity: EntityDefinition,
  all: readonly WrittenFiles[],
): Promise<void> {
  const fields = entity.fields.filter((field) => field.type === 'FILE');
  if (fields.length === 0) return;
  const wishes: Wish[] = [];
  const gone: { fileId: string; recordId: string }[] = [];
  for (const written of all) {
    for (const field of fields) {
      const value = written.data[field.key];
      if (value === undefined) continue;
      const held = written.before?.[field.key];
      if (isStoredFile(held) && held.id !== value) gone.push({ fileId: held.id, recordId: written.recordId });
      const at = written.path === undefined ? field.name : `${written.path}.${field.name}`;
      if (typeof value === 'string') wishes.push({ written, field, fileId: value, at });
    }
  }
  if (gone.length > 0) {
    const [ids, records] = [gone.map(({ fileId }) => fileId), gone.map(({ recordId }) => recordId)];
    await scope.tx.query({ text: letGoText, values: [scope.tenantId, ids, entity.id, records] });
  }
  if (wishes.length > 0) await attach(scope, entity, wishes);
}

async function attach(scope: WriteScope, entity: EntityDefinition, wishes: readonly Wish[]): Promise<void> {
  const values = [scope.tenantId, wishes.map(({ fileId }) => fileId)];
  const rows = await scope.tx.query<FileRow>({ text: lockText, values });
  const files = new Map(rows.map((row) => [row.id, row]));
  const broken: FieldError[] = [];
  const taken: FieldError[] = [];
  const places = new Map<string, string>();
  for (const wish of wishes) {
    const { fileId, field, at } = wish;
    const first = places.get(fileId);
    const file = files.get(fileId);
    const isKnown = file !== undefined && mayAttach(scope, entity, wish, file);
    if (first !== undefined) {
      taken.push({ field: at, rule: 'file', message: `${at} is the same file as ${first}: upload it twice` });
    } else if (file?.state === 'ATTACHED') {
      taken.push({
        field: at,
        rule: 'file',
        message: `${at}: a record holds this file already: upload it again`,
      });
    } else if (!isKnown) {
      broken.push({
        field: at,
        rule: 'file',
        message: `${at}: there is no uploaded file with the id ${fileId}`,
      });
    } else if (file.state === 'PENDING') {
      broken.push({
        field: at,
        rule: 'file',
        message: `${at}: the content of this file has not been uploaded`,
      });
    } else {
      checkFile(toFileFacts(file), field, (rule, sentence) => {
        broken.push({ field: at, rule, message: `${at} ${sentence}` });
      });
    }
    places.set(fileId, at);
    if (file && isKnown) wish.written.data[field.key] = toStoredFile(toFileFacts(file));
  }
  if (broken.length > 0) throw invalidInput(broken.slice(0, 100));
  if (taken.length > 0) {
    const fields = taken.slice(0, 100);
    throw new DomainError('CONFLICT', fields.map((field) => field.message).join('; '), { fields });
  }
  await scope.tx.query({
    text: attachText,
    values: [
      scope.tenantId,
      entity.id,
      wishes.map(({ fileId }) => fileId),
      wishes.map(({ written }) => written.recordId),
      wishes.map(({ field }) => field.key),
    ],
  });
}

/** Whether the file is one that this caller knows: another's upload is as unknown as one that never was. */
function mayAttach(
  { tx: { claims } }: WriteScope,
  entity: EntityDefinition,
  { written, field }: Wish,
  file: FileRow,
): boolean {
  if (file.state === 'PENDING' || file.state === 'READY') return isUploader(claims, file);
  if (file.state !== 'DETACHED') return false;
  return file.entityId === entity.id && file.recordId === written.recordId && file.fieldKey === field.key;
}

/** Purged records hold nothing any more. Nothing is asked where the entity has no FILE field. */
export async function letGoOfRecords(
  { tx, tenantId }: WriteScope,
  entity: EntityDefinition,
  recordIds: readonly string[],
): Promise<void> {
  if (!storedFields(entity).some((field) => field.type === 'FILE')) return;
  const text = `update files set state = 'DETACHED', changed_at = now()
    where tenant_id = $1::uuid and entity_id = $2::uuid and record_id = any($3::uuid[]) and state = 'ATTACHED'`;
  await tx.query({ text, values: [tenantId, entity.id, recordIds] });
}

/** A deleted field, or (`key` null) a deleted entity: what its records held. */
export async function letGoOfDefinition(
  tx: TenantTransaction,
  entityId: string,
  key: string | null,
): Promise<void> {
  await tx.query({
    name: 'files_let_go_of_definition',
    text: `update files set state = 'DETACHED', changed_at = now()
      where tenant_id = $1::uuid and entity_id = $2::uuid and ($3::text is null or field_key = $3) and state = 'ATTACHED'`,
    values: [tx.claims.tenantId, entityId, key],
  });
}
