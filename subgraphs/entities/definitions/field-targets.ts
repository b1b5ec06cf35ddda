/** The entities that a relation may point at, from the names in an input. */
import type { EntityDefinition, RelationTarget } from '#subgraphs/model/definition.ts';
import type { BrokenRules } from './broken-rules.ts';
import type { DraftField } from './definition-change.ts';
import type { FieldInput } from './definition-input.ts';
import { isRelationType } from './field-rules.ts';

/** Entities that one relation may point at. */
const maxTargets = 20;

export const asTarget = ({ id, name, isActive }: EntityDefinition): RelationTarget => ({
  entityId: id,
  name,
  aliases: [],
  isActive,
});

/** None where a rule is broken, or the field is no relation. */
export function findTargets(
  rules: BrokenRules,
  entities: readonly EntityDefinition[],
  input: FieldInput,
): EntityDefinition[] {
  const several = input.targetEntities ?? null;
  if (several === null) {
    const target = findTarget(rules, entities, input);
    return target ? [target] : [];
  }
  if (input.type !== 'RELATION') {
    rules.add('targetEntities', 'type', `targetEntities is for RELATION, not for ${input.type}`);
  } else if ((input.targetEntity ?? null) !== null) {
    rules.add(
      'targetEntities',
      'duplicate',
      'targetEntities and targetEntity exclude each other: give one of them',
    );
  } else return findSeveral(rules, entities, several);
  return [];
}

/** At least two different entities, or none and a broken rule. */
function findSeveral(
  rules: BrokenRules,
  entities: readonly EntityDefinition[],
  names: readonly string[],
): EntityDefinition[] {
  const complain = (rule: string, message: string): EntityDefinition[] => {
    rules.add('targetEntities', rule, message);
    return [];
  };
  const unknown = names.find((name) => !entities.some((entity) => entity.name === name));
  if (unknown !== undefined) return complain('exists', `there is no entity "${unknown.slice(0, 80)}"`);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) return complain('unique', `targetEntities has "${twice}" twice`);
  if (names.length < 2)
    return complain('minLength', 'targetEntities must name at least two entities; targetEntity names one');
  if (names.length > maxTargets)
    return complain('maxLength', `targetEntities must name at most ${maxTargets} entities`);
  return names.map((name) => entities.find((entity) => entity.name === name) as EntityDefinition);
}

function findTarget(
  rules: BrokenRules,
  entities: readonly EntityDefinition[],
  input: FieldInput,
): EntityDefinition | undefined {
  const name = input.targetEntity ?? null;
  if (!isRelationType(input.type)) {
    if (name !== null)
      rules.add(
        'targetEntity',
        'type',
        `targetEntity is for RELATION and MULTI_RELATION, not for ${input.type}`,
      );
    return undefined;
  }
  if (name === null) {
    rules.add(
      'targetEntity',
      'required',
      `a ${input.type} field needs a targetEntity${input.type === 'RELATION' ? ', or several targetEntities' : ''}`,
    );
    return undefined;
  }
  const target = entities.find((entity) => entity.name === name);
  if (!target) rules.add('targetEntity', 'exists', `there is no entity "${name.slice(0, 80)}"`);
  return target;
}

/** A target more, or one less: that records point at is looked at when the change is written. */
export function changeTargets(
  rules: BrokenRules,
  entities: readonly EntityDefinition[],
  field: DraftField,
  names: readonly string[],
): void {
  const { targets: known } = field;
  if (known === undefined) {
    rules.add(
      'targetEntities',
      'unchanged',
      `"${field.name}" is no relation to several entities and does not become one: define another field`,
    );
    return;
  }
  const targets = findSeveral(rules, entities, names);
  if (targets.length === 0) return;
  field.targets = targets.map(
    (target) => known.find((one) => one.entityId === target.id) ?? asTarget(target),
  );
}
