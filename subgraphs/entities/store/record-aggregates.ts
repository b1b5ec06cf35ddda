/** Figures over groups of records: one statement each. */
import type { RecordDatabase } from '#prisma/record-database.ts';
import { DomainError } from '#schema/errors.ts';
import { ruleOf } from '#subgraphs/model/field-types.ts';
import { activeTargets, targetValue } from '#subgraphs/model/union-relations.ts';
import { readDecimal } from '#subgraphs/model/values/decimal.ts';
import { findMeasure, parseAggregate } from '../filters/aggregate-request.ts';
import type { GroupKey, Measure } from '../filters/aggregate-request.ts';
import { buildAggregateStatement } from './aggregate-sql.ts';
import type { AggregateGroup, RecordStore } from './record-store.ts';
import { accessOf } from './store-access.ts';

type AggregateRow = { c: number } & Record<string, unknown>;

export function createRecordAggregates(database: RecordDatabase): Pick<RecordStore, 'aggregate'> {
  return {
    async aggregate(context, request) {
      const { entity } = request;
      const plan = parseAggregate(context.model, entity, request);
      const measures = request.measures.flatMap(
        ({ name, member }) => findMeasure(entity, name, member) ?? [],
      );
      const { statement, columns } = buildAggregateStatement(
        context.model,
        accessOf(context),
        request,
        plan,
        measures,
      );
      const rows = await database.read<AggregateRow>(context.claims, statement);
      return rows.map((row): AggregateGroup => {
        const group: Record<string, unknown> = {};
        for (const [i, key] of plan.keys.entries())
          put(group, key.path, groupValue(key, row[`g${i}`] ?? null));
        const figures = { countDistinct: {}, sum: {}, avg: {}, min: {}, max: {} };
        for (const [i, measure] of measures.entries()) {
          const { name, member } = measure;
          put(figures[name], [member], figureValue(measure, row[columns[i] as string] ?? null));
        }
        return { group, count: row.c, ...figures };
      });
    },
  };
}

/** Own members only, whatever they are called. */
function put(into: Record<string, unknown>, path: readonly string[], value: unknown): void {
  let at = into;
  for (const name of path.slice(0, -1)) {
    if (!Object.hasOwn(at, name)) at[name] = {};
    at = at[name] as Record<string, unknown>;
  }
  at[path.at(-1) as string] = value;
}

function groupValue({ subject, part }: GroupKey, value: unknown): unknown {
  if (value === null) return null;
  if (part === 'type' && typeof subject !== 'string') {
    const target = activeTargets(subject).find(({ entityId }) => entityId === value);
    return target ? targetValue(target) : null;
  }
  if (subject === 'createdBy') return { __typename: 'User', id: value };
  if (typeof subject === 'string') return value;
  if (subject.type === 'RELATION') return value;
  return ruleOf(subject).toOutput(stored(subject.type, value), subject);
}

/** A value out of a column in its stored form. */
function stored(type: string, value: unknown): unknown {
  if (value instanceof Date) {
    const text = value.toISOString();
    return type === 'DATE' ? text.slice(0, 10) : text;
  }
  return type === 'BOOLEAN' ? value === 1 : value;
}

function figureValue({ name, subject }: Measure, value: unknown): unknown {
  if (value === null || name === 'countDistinct' || typeof subject === 'string') return value;
  if (subject.type === 'DECIMAL') return ruleOf(subject).toOutput(readDecimal(value as string), subject);
  if (name === 'min' || name === 'max') return stored(subject.type, value);
  const number = Number(value);
  if (Number.isFinite(number)) return number;
  // As a value, it fails this figure alone.
  return new DomainError('BAD_USER_INPUT', `The ${name} of ${subject.name} is beyond what a Float can hold`);
}
