/** An entity's members of Query and Mutation that look back, or end it: history, restoration of a version, purge. */
import type { EntityDefinition } from '#subgraphs/model/definition.ts';
import { rootNames, typeName } from '#subgraphs/model/names.ts';

export function historyQuerySdl(entity: EntityDefinition): string {
  const type = typeName(entity);
  return `
  "What became of a ${type}, deleted or not: who changed what, the latest first. Null where it is unknown."
  ${rootNames(entity).history}(
    "The record's id."
    id: ID!
    "How many changes, 1 to 1,000; 50 where absent."
    first: Int
    "The cursor to go on from."
    after: String
  ): RecordVersionConnection`;
}

/** `keySdl` is the argument `idempotencyKey`. */
export function historyMutationsSdl(entity: EntityDefinition, keySdl: string): string {
  const type = typeName(entity);
  const names = rootNames(entity);
  const restoreVersion =
    entity.fields.length === 0
      ? ''
      : `
  "Gives a ${type} the values that it had in an earlier version, as far as its fields still take them. A deleted one is restored first."
  ${names.restoreVersion}(
    "The record's id."
    id: ID!
    "The version's number, from \`${names.history}\`."
    version: Int!
    "Refused with VERSION_CONFLICT where its version is another by now."
    expectedVersion: Int
    ${keySdl}
  ): ${type}!`;
  return `${restoreVersion}
  "Removes deleted ${type} records for good, with their history; for developers and above. Answers how many."
  ${names.purge}(
    "Which ones, up to 1,000, all or none; or:"
    ids: [ID!]
    "Those deleted before this time, 1,000 at most, the oldest first: to be repeated until it answers less."
    deletedBefore: DateTime
    ${keySdl}
  ): Int!`;
}
