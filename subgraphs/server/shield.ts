/**
 * graphql-shield, loaded so that it works on Node 24: its ESM build does not load, and its rules call `util.isUndefined`,
 * which Node removed. It and graphql-middleware must come from one CommonJS graph, so one `require` loads both.
 */
import { createRequire } from 'node:module';
import type * as Shield from 'graphql-shield';

const require = createRequire(import.meta.url);
const util = require('node:util') as {
  isUndefined?: (value: unknown) => boolean;
};
util.isUndefined ??= (value) => value === undefined;
require('graphql-middleware');
const loaded = require('graphql-shield') as typeof Shield;

export const { rule, and, or, not, chain, race, shield } = loaded;

/** One rule, plain or combined. */
export type ShieldRule = ReturnType<typeof loaded.and> | ReturnType<ReturnType<typeof loaded.rule>>;

/** Rules by type, then by field; `'*'` stands for the type's other fields. */
export type ShieldRules = Readonly<Record<string, Readonly<Record<string, ShieldRule>>>>;
