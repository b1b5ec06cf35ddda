/**
 * Records as values of their generated type. A node is a class of its entity's definition whose getters read the stored
 * record: nothing is copied, and fields that nobody asked for cost nothing.
 */
import { withFieldAliases } from '#subgraphs/model/aliases.ts';
import type { EntityDefinition } from '#subgraphs/model/definition.ts';
import { typeName } from '#subgraphs/model/names.ts';
import { outputMembers } from '#subgraphs/model/output-members.ts';
import type { EntityAccess } from '#subgraphs/model/permissions/access.ts';
import type { StoredRecord } from '../store/record-store.ts';

/** A symbol, so that no field's name can meet it. */
const stored = Symbol('stored record');

export class RecordNode {
  readonly [stored]: StoredRecord;

  constructor(record: StoredRecord) {
    this[stored] = record;
  }

  get id(): string {
    return this[stored].id;
  }
  get version(): number {
    return this[stored].version;
  }
  get createdAt(): Date {
    return this[stored].createdAt;
  }
  get updatedAt(): Date {
    return this[stored].updatedAt;
  }
  get deletedAt(): Date | null {
    return this[stored].deletedAt;
  }
  /** A reference to the tenants subgraph's User. */
  get createdBy(): { __typename: 'User'; id: string } | null {
    const id = this[stored].createdBy;
    return id === null ? null : { __typename: 'User', id };
  }
}

/** The record behind a node. */
export function recordOf(node: RecordNode): StoredRecord {
  return node[stored];
}

const classes = new WeakMap<EntityDefinition, typeof RecordNode>();

/** The record as a value of its entity's type; relations and inverses have resolvers of their own. */
export function toNode(entity: EntityDefinition, record: StoredRecord): RecordNode {
  let NodeOfEntity = classes.get(entity);
  if (!NodeOfEntity) {
    NodeOfEntity = defineClass(entity);
    classes.set(entity, NodeOfEntity);
  }
  return new NodeOfEntity(record);
}

function defineClass(entity: EntityDefinition): typeof RecordNode {
  const NodeOfEntity = class extends RecordNode {};
  const define = (name: string, read: (record: StoredRecord) => unknown): void => {
    Object.defineProperty(NodeOfEntity.prototype, name, {
      get(this: RecordNode) {
        return read(this[stored]);
      },
    });
  };
  const type = typeName(entity);
  define('__typename', () => type);
  for (const field of withFieldAliases(entity).fields) {
    const { key } = field;
    for (const { name, read } of outputMembers(field)) define(name, (record) => read(record.data[key]));
  }
  return NodeOfEntity;
}

/**
 * A record's values by field name, a relation's under its id's name, a union's also under its type's: for the untyped twin.
 * What may not be read is left out.
 */
export function toUntypedData(
  entity: EntityDefinition,
  record: StoredRecord,
  access: Pick<EntityAccess, 'mayRead'>,
): Record<string, unknown> {
  return Object.fromEntries(
    entity.fields
      .filter((field) => access.mayRead(field))
      .flatMap((field) => outputMembers(field).map(({ name, read }) => [name, read(record.data[field.key])])),
  );
}
