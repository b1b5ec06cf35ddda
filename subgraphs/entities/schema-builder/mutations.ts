/** An entity's members of Mutation. */
import type { EntityDefinition } from '#subgraphs/model/definition.ts';
import {
  createInputName,
  rootNames,
  typeName,
  uniqueFieldEnumName,
  updateInputName,
  updateManyInputName,
} from '#subgraphs/model/names.ts';
import { hasUniqueKeys } from './enums.ts';
import { historyMutationsSdl } from './history-sdl.ts';

const keySdl = `"Any text of up to 200 characters: for 24 hours, a retry with it gets the first answer."
    idempotencyKey: String`;

/** What needs no input, and, where the entity has fields, what needs one. */
export function mutationsSdl(entity: EntityDefinition): string {
  const type = typeName(entity);
  const names = rootNames(entity);
  const written = entity.fields.length > 0 ? writesSdl(entity) : emptyWritesSdl(entity);
  return `${written}
  "Deletes a ${type}; \`${names.restore}\` brings it back."
  ${names.delete}(
    "The record's id."
    id: ID!
    "Refused with VERSION_CONFLICT where its version is another by now."
    expectedVersion: Int
    ${keySdl}
  ): ${type}!
  "Brings a deleted ${type} back."
  ${names.restore}(
    "The record's id."
    id: ID!
    ${keySdl}
  ): ${type}!
  "Deletes up to 1,000 ${type} records, all or none."
  ${names.deleteMany}(
    "The records' ids, each once."
    ids: [ID!]!
    ${keySdl}
  ): [${type}!]!
  "Brings up to 1,000 deleted ${type} records back, all or none."
  ${names.restoreMany}(
    "The records' ids, each once."
    ids: [ID!]!
    ${keySdl}
  ): [${type}!]!${historyMutationsSdl(entity, keySdl)}`;
}

function emptyWritesSdl(entity: EntityDefinition): string {
  return `  "Creates a ${typeName(entity)}."\n  ${rootNames(entity).create}(\n    ${keySdl}\n  ): ${typeName(entity)}!`;
}

function writesSdl(entity: EntityDefinition): string {
  const type = typeName(entity);
  const names = rootNames(entity);
  const upsert = !hasUniqueKeys(entity)
    ? ''
    : `
  "Creates a ${type}, or updates the one that has the same value in a unique field, or the same values in a unique group."
  ${names.upsert}(
    "The unique field or group to find it by."
    on: ${uniqueFieldEnumName(entity)}!
    "The record; on an update, what is absent stays."
    input: ${createInputName(entity)}!
    ${keySdl}
  ): ${type}!
  "Creates or updates up to 1,000 ${type} records, all or none."
  ${names.upsertMany}(
    "The unique field or group to find each by."
    on: ${uniqueFieldEnumName(entity)}!
    "The records, each once; on an update, what is absent stays."
    inputs: [${createInputName(entity)}!]!
    ${keySdl}
  ): [${type}!]!`;
  return `  "Creates a ${type}."
  ${names.create}(
    "The record."
    input: ${createInputName(entity)}!
    ${keySdl}
  ): ${type}!
  "Creates up to 1,000 ${type} records, all or none."
  ${names.createMany}(
    "The records."
    inputs: [${createInputName(entity)}!]!
    ${keySdl}
  ): [${type}!]!
  "Changes a ${type}."
  ${names.update}(
    "The record's id."
    id: ID!
    "What to change: what is absent stays, null clears."
    input: ${updateInputName(entity)}!
    "Refused with VERSION_CONFLICT where its version is another by now."
    expectedVersion: Int
    ${keySdl}
  ): ${type}!
  "Changes up to 1,000 ${type} records, all or none."
  ${names.updateMany}(
    "What to change of which records, each once."
    inputs: [${updateManyInputName(entity)}!]!
    ${keySdl}
  ): [${type}!]!${upsert}`;
}
