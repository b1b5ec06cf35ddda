/**
 * The scalars' behaviour. Input is passed on as it came: the validation that follows knows the field, and names it and
 * the rule.
 */
import { GraphQLError, GraphQLScalarType, Kind, valueFromASTUntyped } from 'graphql';

function textScalar(name: 'Date' | 'DateTime'): GraphQLScalarType {
  const accept = (value: unknown): unknown => {
    if (typeof value === 'string') return value;
    if (value instanceof Date) return value.toISOString();
    throw new GraphQLError(`${name} cannot represent ${JSON.stringify(value)}: it is written as text`, {
      extensions: { code: 'BAD_USER_INPUT' },
    });
  };
  return new GraphQLScalarType({
    name,
    serialize: accept,
    parseValue: accept,
    parseLiteral: (node) => accept(node.kind === Kind.STRING ? node.value : valueFromASTUntyped(node)),
  });
}

export const dateScalar = textScalar('Date');
export const dateTimeScalar = textScalar('DateTime');
export const jsonScalar = new GraphQLScalarType({
  name: 'JSON',
  serialize: (value) => value,
  parseValue: (value) => value,
  parseLiteral: (node, variables) => valueFromASTUntyped(node, variables),
});

/**
 * Text, and numbers of up to 15 digits. A literal with more would keep them here, but not on its way: a planner reads
 * number literals in double precision, so they are refused rather than now and then rounded.
 */
export const decimalScalar = new GraphQLScalarType({
  name: 'Decimal',
  serialize: (value) => value,
  parseValue: acceptDecimal,
  parseLiteral(node) {
    if (node.kind === Kind.STRING) return node.value;
    const isNumber = node.kind === Kind.INT || node.kind === Kind.FLOAT;
    return acceptDecimal(isNumber && node.value.replace(/\D/g, '').length <= 15 ? Number(node.value) : null);
  },
});

function acceptDecimal(value: unknown): unknown {
  if (typeof value === 'string' || typeof value === 'number') return value;
  throw new GraphQLError('Decimal is written as text, or as a number of at most 15 digits', {
    extensions: { code: 'BAD_USER_INPUT' },
  });
}

/** Resolvers of the four, by name. */
export const scalarResolvers = {
  Date: dateScalar,
  DateTime: dateTimeScalar,
  Decimal: decimalScalar,
  JSON: jsonScalar,
};
