/** Answers to `__schema` and `__type`: those made while compiling are kept small, as they are large and seldom asked for. */
import { gunzipSync, gzipSync } from 'node:zlib';
import type { ExecutionResult } from 'graphql';
import type { IntrospectionRecipe } from '../recipe.ts';

/** Answers an introspection operation that reads variables, on the graph's API schema. */
export type Introspect = (query: string, variables: Readonly<Record<string, unknown>>) => ExecutionResult;

export interface IntrospectionAnswers {
  /** What it holds of memory. */
  readonly bytes: number;
  /** By response name. */
  answer(variables: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>>;
}

/** Smaller answers are not worth unpacking. */
const minPackedChars = 4_096;

type Read = (variables: Readonly<Record<string, unknown>>) => unknown;

export function createIntrospectionAnswers(
  recipes: readonly IntrospectionRecipe[],
  introspect: Introspect,
): IntrospectionAnswers {
  const readers: [string, Read][] = [];
  let bytes = 0;
  for (const recipe of recipes) {
    const { json, query } = recipe;
    if (json !== null && json.length >= minPackedChars) {
      const packed = gzipSync(json);
      bytes += packed.length;
      readers.push([recipe.key, () => JSON.parse(gunzipSync(packed).toString()) as unknown]);
    } else if (json !== null) {
      bytes += json.length;
      readers.push([recipe.key, () => JSON.parse(json) as unknown]);
    } else if (query !== null) {
      bytes += query.length;
      readers.push([recipe.key, readerOf(recipe.key, query, recipe.variables, introspect)]);
    }
  }
  return {
    bytes,
    answer: (variables) => Object.fromEntries(readers.map(([key, read]) => [key, read(variables)])),
  };
}

function readerOf(key: string, query: string, names: readonly string[], introspect: Introspect): Read {
  return (variables) => {
    const passed: Record<string, unknown> = {};
    for (const name of names) if (Object.hasOwn(variables, name)) passed[name] = variables[name];
    return introspect(query, passed).data?.[key] ?? null;
  };
}
