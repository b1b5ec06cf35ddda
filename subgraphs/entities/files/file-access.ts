/** Who may read a file: before a record holds it, who uploaded it; then whoever may read that record's field. */
import type { Claims } from '#schema/claims.ts';
import { isStoredFile } from '#subgraphs/model/values/file.ts';
import type { TenantModel } from '#subgraphs/model/definition.ts';
import { accessOf } from '#subgraphs/model/permissions/access.ts';
import type { RecordStore } from '../store/record-store.ts';
import { isUploader, type KnownFile } from './file-records.ts';

export interface FileAccessOptions {
  readonly records: Pick<RecordStore, 'findMany'>;
  /** The tenant's newest definitions. */
  getModel(claims: Claims): Promise<TenantModel>;
}

export type MayRead = (claims: Claims, file: KnownFile, requestId: string) => Promise<boolean>;

export function createFileAccess({ records, getModel }: FileAccessOptions): MayRead {
  return async (claims, file, requestId) => {
    if (file.state === 'READY') return isUploader(claims, file);
    if (file.state !== 'ATTACHED' || file.holder === null) return false;
    const { entityId, recordId, fieldKey } = file.holder;
    const model = await getModel(claims);
    const entity = model.entityById.get(entityId);
    const field = entity?.fields.find(({ key, type }) => key === fieldKey && type === 'FILE');
    if (!entity || !field || !accessOf(model, entity, claims).mayRead(field)) return false;
    // The record as this caller sees it now; a deleted one is not there.
    const [record] = await records.findMany({ claims, model, requestId }, entity, [recordId]);
    const held = record?.data[fieldKey];
    return isStoredFile(held) && held.id === file.id;
  };
}
