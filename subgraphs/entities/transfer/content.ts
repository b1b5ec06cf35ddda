/** The content of transfers, in and out. */
import type { Claims } from '#schema/claims.ts';
import { DomainError } from '#schema/errors.ts';
import type { TenantModel } from '#subgraphs/model/definition.ts';
import type { TransferContent } from '#schema/transfer-content.ts';
import type { FileStore } from '../files/file-store.ts';
import { exportSight, isAnyonesReader } from './access.ts';
import { createRowWriter } from './formats/row-writer.ts';
import type { Transfer, TransferStore } from './transfer.ts';

export interface ContentOptions {
  readonly store: TransferStore;
  readonly files: FileStore;
  /** The tenant's newest definitions. */
  getModel(claims: Claims): Promise<TenantModel>;
  /** Throws for who may not, and NOT_FOUND. */
  get(claims: Claims, id: string): Promise<Transfer>;
  announce(transfer: Transfer): void;
  readonly maxUploadBytes: number;
  /** How much more the tenant may keep. Throws QUOTA_EXCEEDED where it is nothing. */
  getRoom(claims: Claims): Promise<number>;
}

export function createContent({
  store,
  files,
  getModel,
  get,
  announce,
  maxUploadBytes,
  getRoom,
}: ContentOptions): TransferContent {
  /** The file of an export shows what its reader might see then. */
  async function requireSameSight(claims: Claims, { settings }: Transfer): Promise<void> {
    if (isAnyonesReader(claims)) return;
    if (exportSight(await getModel(claims), claims) === (settings.sight ?? '')) return;
    const message = 'What your role may see has changed since this was exported: export it again';
    throw new DomainError('FORBIDDEN', message);
  }

  return {
    async put({ claims, transferId, body, fileName }) {
      const transfer = await get(claims, transferId);
      if (transfer.kind !== 'IMPORT') throw new DomainError('CONFLICT', 'An export takes no content');
      if (!takesFile(transfer)) throw begun();
      const { tenantId, id } = transfer;
      const maxBytes = Math.min(maxUploadBytes, await getRoom(claims));
      const fileId = crypto.randomUUID();
      const { bytes } = await files.write(tenantId, fileId, body, maxBytes);
      const updated = await store.setFile(claims, id, { id: fileId, bytes, name: cleanName(fileName) });
      if (!updated) {
        await files.remove(tenantId, fileId);
        throw begun();
      }
      if (transfer.fileId !== null) await files.remove(tenantId, transfer.fileId);
      announce(updated);
      return { id, bytes, status: updated.status };
    },

    async get({ claims, transferId }) {
      const transfer = await get(claims, transferId);
      if (transfer.kind === 'EXPORT') await requireSameSight(claims, transfer);
      const file = transfer.fileId === null ? null : await files.read(transfer.tenantId, transfer.fileId);
      if (!file) throw new DomainError('NOT_FOUND', 'The transfer has no content yet, or not any more');
      const { contentType, fileName } = describe(transfer);
      return { bytes: file.bytes, contentType, fileName, body: file.content };
    },
  };
}

function takesFile({ status, rows }: Transfer): boolean {
  return rows === 0 && (status === 'PENDING' || status === 'FAILED' || status === 'STOPPED');
}

function begun(): DomainError {
  return new DomainError('CONFLICT', 'The transfer has begun and takes no other content: start a new one');
}

function cleanName(fileName: string | null): string | null {
  const name =
    fileName
      ?.replace(/^.*[\\/]/, '')
      .replace(/\p{Cc}/gu, '')
      .toWellFormed()
      .slice(0, 255) ?? '';
  return name === '' ? null : name;
}

function describe(transfer: Transfer): { contentType: string; fileName: string } {
  if (transfer.isWholeTenant) {
    return { contentType: 'application/gzip', fileName: transfer.fileName ?? 'tenant.ndjson.gz' };
  }
  const { contentType, extension } = createRowWriter({ format: transfer.format, columns: [] });
  const isPacked = transfer.fileName?.endsWith('.gz') ?? false;
  return {
    contentType: isPacked ? 'application/gzip' : contentType,
    fileName: transfer.fileName ?? `${transfer.entity ?? 'transfer'}.${extension}`,
  };
}
