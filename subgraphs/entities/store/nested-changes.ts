/** The records that are there and take part in a nested write, and what is to change of each: said once, or the same twice. */
import type { FieldError } from '#schema/errors.ts';
import type { EntityDefinition, FieldDefinition } from '#subgraphs/model/definition.ts';
import { relationIdName, typeName } from '#subgraphs/model/names.ts';
import type { Inverse } from '#subgraphs/model/relations.ts';
import { maxLinks } from '#subgraphs/model/values/choice.ts';
import type { InputData } from '#subgraphs/model/values/input.ts';
import { linkedIds } from './record-links.ts';
import type { StoredRecord } from './record-store.ts';
import { targetKey } from './relation-targets.ts';

/** A locked record, and values by key that it is to get. */
export interface Changed {
  readonly entity: EntityDefinition;
  readonly record: StoredRecord;
  readonly data: InputData;
  path: string | undefined;
}

/** The records that are there and take part: locked, with what is to change of them. */
export class ChangedRecords {
  readonly errors: FieldError[] = [];
  readonly #records = new Map<string, Changed>();

  add(entity: EntityDefinition, record: StoredRecord): void {
    this.#records.set(targetKey({ entityId: entity.id, id: record.id }), {
      entity,
      record,
      data: {},
      path: undefined,
    });
  }

  find(entity: EntityDefinition, id: string): Changed | undefined {
    return this.#records.get(targetKey({ entityId: entity.id, id }));
  }

  /** One value of one record; saying another one than was said before is an error. */
  assign(changed: Changed, key: string, value: unknown, path: string | undefined): void {
    const { data } = changed;
    if (Object.hasOwn(data, key) && data[key] !== value) {
      const at = path ?? changed.path ?? 'input';
      const message = `${at} contradicts ${changed.path ?? 'the input'}: both say what the record ${changed.record.id} is related to`;
      this.errors.push({ field: at, rule: 'duplicate', message });
      return;
    }
    data[key] = value;
    changed.path ??= path;
  }

  /** The record is not to point anywhere by this relation. */
  letGo(child: Changed, { entity, field }: Inverse, path: string): void {
    if (!field.isRequired) {
      this.assign(child, field.key, null, path);
      return;
    }
    const message = `${path}: ${typeName(entity)} ${child.record.id} cannot let go, its ${relationIdName(field.name)} is required`;
    this.errors.push({ field: path, rule: 'required', message });
  }

  /** Changes the ids that a many-to-many relation of the record holds. */
  editList(owner: Changed, field: FieldDefinition, path: string, edit: (ids: Set<string>) => void): void {
    const ids = new Set(linkedIds(Object.hasOwn(owner.data, field.key) ? owner : owner.record, field));
    edit(ids);
    owner.data[field.key] = ids.size === 0 ? null : [...ids].toSorted();
    owner.path ??= path;
    if (ids.size <= maxLinks) return;
    const message = `${path}: ${field.name} of ${owner.record.id} would hold more than ${maxLinks} records`;
    this.errors.push({ field: path, rule: 'maxLength', message });
  }

  all(): Changed[] {
    return [...this.#records.values()];
  }

  ofEntity(entity: EntityDefinition): Changed[] {
    return this.all().filter((changed) => changed.entity === entity);
  }

  /** Those of which something changes. */
  byEntity(): Map<EntityDefinition, Changed[]> {
    const all = [...this.#records.values()].filter(({ data }) => Object.keys(data).length > 0);
    return Map.groupBy(all, (changed) => changed.entity);
  }
}

/** In the same words whether the record never was, was deleted, or is another tenant's. */
export function missing(entity: EntityDefinition, id: string, path: string): FieldError {
  const shown = id.slice(0, 40).toWellFormed();
  return {
    field: path,
    rule: 'relation',
    message: `${path}: there is no ${typeName(entity)} with the id ${shown}`,
  };
}
