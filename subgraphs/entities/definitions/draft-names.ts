/** A draft's operations on names: renaming, and the old names under which something is still known. */
import { DomainError } from '#schema/errors.ts';
import type { EntityAlias, EntityDefinition, FieldDefinition } from '#subgraphs/model/definition.ts';
import { type BrokenRules, createBrokenRules } from './broken-rules.ts';
import type { DraftEntity, DraftField } from './definition-change.ts';
import type { EntityRename, Rename } from './definition-input.ts';
import { checkEntity } from './entity-rules.ts';
import { checkField } from './field-rules.ts';
import { checkName } from './name-rules.ts';
import { pluralOf } from './plural.ts';

/** Old names of one entity or field. */
const maxAliases = 5;

export interface DraftNames {
  /** The names that it gives up are kept as an alias, unless `keepAlias` is false. */
  renameEntity(name: string, rename: EntityRename): EntityDefinition;
  renameField(entityName: string, name: string, rename: Rename): FieldDefinition;
  /** The entity, or the field, is not known by an old name any more. */
  dropAlias(entityName: string, fieldName: string | null, alias: string): EntityDefinition;
  /** The old names of an entity, or of its field, are exactly these. */
  setAliases(
    entityName: string,
    fieldName: string | null,
    aliases: readonly EntityAlias[] | readonly string[],
  ): void;
}

interface Draft {
  /** Throws NOT_FOUND, as does the next. */
  getEntity(name: string): DraftEntity;
  getField(entity: DraftEntity, name: string): DraftField;
  sortFields(entity: DraftEntity): void;
}

export function createDraftNames({ getEntity, getField, sortFields }: Draft): DraftNames {
  return {
    renameEntity(name, { to, pluralName, keepAlias = true }) {
      const entity = getEntity(name);
      const old = { name: entity.name, pluralName: entity.pluralName };
      entity.name = to;
      entity.pluralName = pluralName ?? pluralOf(to);
      const rules = createBrokenRules();
      checkEntity(rules, entity);
      const given = entity.aliases.filter((alias) => alias.name !== to);
      entity.aliases = keepAlias && old.name !== to ? [old, ...given] : given;
      checkAliases(rules, entity.aliases);
      rules.throwAny();
      return entity;
    },

    renameField(entityName, name, { to, keepAlias = true }) {
      const entity = getEntity(entityName);
      const field = getField(entity, name);
      field.name = to;
      const rules = createBrokenRules();
      checkField(rules, field);
      const given = field.aliases.filter((alias) => alias !== to);
      field.aliases = keepAlias && name !== to ? [name, ...given] : given;
      checkAliases(rules, field.aliases);
      rules.throwAny();
      sortFields(entity);
      return field;
    },

    dropAlias(entityName, fieldName, alias) {
      const entity = getEntity(entityName);
      const owner = fieldName === null ? entity : getField(entity, fieldName);
      const isDropped = (one: string | EntityAlias): boolean =>
        (typeof one === 'string' ? one : one.name) === alias;
      if (!owner.aliases.some(isDropped)) {
        throw new DomainError('NOT_FOUND', `"${owner.name}" has no old name "${alias.slice(0, 80)}"`);
      }
      if ('fields' in owner) owner.aliases = owner.aliases.filter((one) => !isDropped(one));
      else owner.aliases = owner.aliases.filter((one) => !isDropped(one));
      return entity;
    },

    setAliases(entityName, fieldName, aliases) {
      const entity = getEntity(entityName);
      const rules = createBrokenRules();
      checkAliases(rules, aliases);
      for (const alias of aliases) {
        if (typeof alias === 'string') checkName(rules, 'aliases', alias);
        else if (checkName(rules, 'aliases', alias.name)) checkName(rules, 'aliases', alias.pluralName);
      }
      rules.throwAny();
      if (fieldName === null) entity.aliases = aliases as readonly EntityAlias[];
      else getField(entity, fieldName).aliases = aliases as readonly string[];
    },
  };
}

/** Every old name of an entity is its whole part of the graph once more. */
function checkAliases(rules: BrokenRules, aliases: readonly unknown[]): void {
  if (aliases.length <= maxAliases) return;
  rules.add('keepAlias', 'maxLength', `at most ${maxAliases} old names are kept: drop one first (dropAlias)`);
}
