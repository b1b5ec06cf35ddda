/** A comparison as it comes from a request (`{ gt: 5 }`) becomes nodes with operands in stored form. */
import { invalidField } from '#schema/errors.ts';
import type { FieldDefinition } from '../definition.ts';
import { type ComparisonKind, ruleOf } from '../field-types.ts';
import { activeTargets, findTarget, targetValue } from '../union-relations.ts';
import { readId } from '../values/choice.ts';
import { parseDateTime } from '../values/date.ts';
import { parseJson } from '../values/json.ts';
import { parseInteger } from '../values/number.ts';
import { isStorableText, type Report } from '../values/report.ts';
import { listOperators, type Operator, operatorsOf } from './comparisons.ts';
import { fileMemberField } from './file-members.ts';
import type { ComparisonNode, FilterNode } from './node.ts';
import { countCondition, filterLimits, membersOf, type Reading } from './reading.ts';
import type { SystemFilterMember } from './sdl.ts';

/** The comparisons of one subject: all of them hold. */
export function readComparison(
  reading: Pick<Reading, 'conditions' | 'variables'>,
  subject: FieldDefinition | SystemFilterMember,
  comparison: ComparisonKind,
  value: unknown,
  path: string,
): FilterNode {
  const members = membersOf(value, path);
  const mode = members.find(([name]) => name === 'mode')?.[1] ?? 'DEFAULT';
  if (mode !== 'DEFAULT' && mode !== 'INSENSITIVE') {
    throw invalidField(`${path}.mode`, 'option', `${path}.mode must be DEFAULT or INSENSITIVE`);
  }
  const nodes = members.flatMap(([name, operand]): FilterNode[] => {
    if (name === 'mode' && comparison === 'TEXT') return [];
    const at = `${path}.${name}`;
    const member =
      comparison === 'FILE' && typeof subject !== 'string' ? fileMemberField(subject, name) : undefined;
    if (member) return [readComparison(reading, member, ruleOf(member).comparisonKind, operand, at)];
    const operator = operatorsOf[comparison].find((known) => known === name);
    if (!operator)
      throw invalidField(
        at,
        'unknown',
        `${at} is not known: there are ${operatorsOf[comparison].join(', ')}`,
      );
    countCondition(reading, at);
    const { variables } = reading;
    const compared = { comparison, subject, isInsensitive: mode === 'INSENSITIVE', variables };
    return [comparisonNode(compared, operator, operand, at)];
  });
  return nodes.length === 1 ? (nodes[0] as FilterNode) : { kind: 'all', nodes };
}

type Compared = Pick<ComparisonNode, 'comparison' | 'subject' | 'isInsensitive'> & Pick<Reading, 'variables'>;

/** Negative operators become `not` around their opposites, so that records without a value are included. */
function comparisonNode(compared: Compared, operator: Operator, operand: unknown, path: string): FilterNode {
  const { comparison, subject, isInsensitive } = compared;
  const leaf = (positive: ComparisonNode['operator'], value: unknown): FilterNode => ({
    kind: 'comparison',
    comparison,
    subject,
    operator: positive,
    value,
    isInsensitive,
  });
  if (operator === 'eq' || operator === 'ne') {
    const isNull = operand === null;
    const node = isNull ? leaf('isNull', true) : leaf('eq', readOperand(compared, operand, path));
    return operator === 'eq' ? node : { kind: 'not', node };
  }
  if (operand === null || operand === undefined) {
    throw invalidField(path, 'null', `${path} must not be null: leave it out, or use isNull`);
  }
  if (operator === 'isNull') {
    if (typeof operand !== 'boolean') throw invalidField(path, 'type', `${path} must be true or false`);
    return leaf('isNull', operand);
  }
  if (!listOperators.has(operator))
    return leaf(operator as ComparisonNode['operator'], readOperand(compared, operand, path));
  const items = Array.isArray(operand) ? operand : [operand];
  if (items.length > filterLimits.listLength) {
    throw invalidField(
      path,
      'maxLength',
      `${path} must hold at most ${filterLimits.listLength} values, holds ${items.length}`,
    );
  }
  const values = items.map((item, i) => readOperand(compared, item, `${path}.${i}`));
  if (operator === 'notIn') return { kind: 'not', node: leaf('in', values) };
  if (operator === 'none') return { kind: 'not', node: leaf('some', values) };
  return leaf(operator, values);
}

/** An operand in stored form. The field's own limits do not apply: one may ask for what cannot be. */
function readOperand(compared: Compared, given: unknown, path: string): unknown {
  const operand = bindVariable(compared, given);
  const report: Report = (rule, sentence) => {
    throw invalidField(path, rule, `${path} ${sentence}`);
  };
  const { subject } = compared;
  const bare = typeof subject === 'string' ? null : { ...subject, validation: null };
  switch (compared.comparison) {
    case 'TEXT':
      if (typeof operand !== 'string') return report('type', 'must be text');
      if (operand.length > filterLimits.textLength) {
        return report('maxLength', `must have at most ${filterLimits.textLength} characters`);
      }
      isStorableText(operand, report);
      return operand;
    case 'ID':
      if (typeof operand !== 'string') return report('type', 'must be an id');
      // Text that is no id is an id that nothing has.
      return readId(operand) ?? '';
    case 'TARGET':
      return readTarget(subject, operand, report);
    case 'TIME':
      return bare
        ? ruleOf(bare).parse(operand, bare, report)
        : parseDateTime(operand, { validation: null }, report);
    case 'NUMBER':
      return bare
        ? ruleOf(bare).parse(operand, bare, report)
        : parseInteger(operand, { validation: null }, report);
    case 'CHOICES':
      return ruleOf({ type: 'SELECT' }).parse(operand, bare as FieldDefinition, report);
    case 'DOCUMENT':
      return parseJson(operand, null, report);
    default:
      return ruleOf(bare as FieldDefinition).parse(operand, bare as FieldDefinition, report);
  }
}

function bindVariable({ comparison, subject, variables }: Compared, operand: unknown): unknown {
  if (variables === null) return operand;
  if (operand === '$me' && (comparison === 'ID' || comparison === 'TEXT')) return variables.me;
  if (operand !== '$now' || comparison !== 'TIME') return operand;
  const now = variables.now.toISOString();
  return typeof subject !== 'string' && subject.type === 'DATE' ? now.slice(0, 10) : now;
}

/** The id of the entity that a value of a union's enum stands for. */
function readTarget(field: Compared['subject'], operand: unknown, report: Report): unknown {
  if (typeof field === 'string') throw new Error(`${field} is no union`);
  const target = typeof operand === 'string' ? findTarget(field, operand) : undefined;
  if (target) return target.entityId;
  return report('option', `must be one of ${activeTargets(field).map(targetValue).join(', ')}`);
}
