/** The scalars of schema/shared.graphql. */
import { GraphQLError, GraphQLScalarType, Kind, type ValueNode, valueFromASTUntyped } from 'graphql';

function refuse(message: string): GraphQLError {
  return new GraphQLError(message, { extensions: { code: 'BAD_USER_INPUT' } });
}

function show(value: unknown): string {
  return JSON.stringify(value)?.slice(0, 60) ?? String(value);
}

const dateTimePattern =
  /^(\d{4}-\d{2}-\d{2})T([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{1,9})?)?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)$/;

/** Whether `text` is YYYY-MM-DD and a day that the calendar has (year 0001 and later). */
function isCalendarDate(text: string): boolean {
  const match = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text);
  if (!match || match[1] === '0000') return false;
  const date = new Date(`${text}T00:00:00.000Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text);
}

/** An ISO 8601 time with an offset → the same moment in UTC. Digits beyond milliseconds are cut. Throws BAD_USER_INPUT. */
function parseDateTime(value: unknown): Date {
  const match = typeof value === 'string' ? dateTimePattern.exec(value) : null;
  if (!match || !isCalendarDate(match[1] ?? '')) {
    throw refuse(
      `DateTime must be an ISO 8601 time with an offset, as "2026-11-21T08:30:00.000Z"; it was ${show(value)}`,
    );
  }
  const date = new Date(value as string);
  if (date.getTime() < Date.UTC(0, 0, 1) && date.getUTCFullYear() < 1)
    throw refuse(`DateTime is before the year 1: ${show(value)}`);
  return date;
}

/** A value that we answer with and that is none is our own fault, not the caller's: nothing with a code. */
function ours<T>(parse: () => T): T {
  try {
    return parse();
  } catch (cause) {
    throw new TypeError('A resolver returned a value that the scalar cannot hold', { cause });
  }
}

function literal<T>(parse: (value: unknown) => T): (node: ValueNode) => T {
  return (node) => parse(node.kind === Kind.STRING ? node.value : undefined);
}

/** In: strict ISO 8601 → Date. Out: Date or ISO text → UTC with milliseconds. */
export const DateTimeScalar = new GraphQLScalarType<Date, string>({
  name: 'DateTime',
  serialize(value) {
    if (value instanceof Date) return value.toISOString();
    return ours(() => parseDateTime(value)).toISOString();
  },
  parseValue: parseDateTime,
  parseLiteral: literal(parseDateTime),
});

function parseDate(value: unknown): string {
  if (typeof value === 'string' && isCalendarDate(value)) return value;
  throw refuse(`Date must be a day of the calendar, as "2026-11-21"; it was ${show(value)}`);
}

/** In and out: YYYY-MM-DD text. */
export const DateScalar = new GraphQLScalarType<string, string>({
  name: 'Date',
  serialize: (value) => ours(() => parseDate(value)),
  parseValue: parseDate,
  parseLiteral: literal(parseDate),
});

/** Any JSON value, as it is. */
export const JSONScalar = new GraphQLScalarType<unknown, unknown>({
  name: 'JSON',
  serialize: (value) => value,
  parseValue: (value) => value,
  parseLiteral: (node, variables) => valueFromASTUntyped(node, variables),
});

/** For a subgraph's resolver map. */
export const scalarResolvers = {
  DateTime: DateTimeScalar,
  Date: DateScalar,
  JSON: JSONScalar,
};
