import { GraphQLError, type ExecutionResult, type FieldNode } from 'graphql';
import { LRUCache } from 'lru-cache';
import { noGrants } from '#gateway/auth/grants.ts';
import type {
  ExecutionRequest,
  LiveSubscription,
  OperationSummary,
  PreparedOperation,
} from '../../executor.ts';
import type { GuardedField } from './guarded-fields.ts';
import { isGranted, type Requirement } from './requirements.ts';

/** `filter`: what is not granted is null, with an error, and the rest is answered. `refuse`: then nothing runs. */
export type AuthorizationMode = 'filter' | 'refuse';

export interface GuardedOperationOptions {
  readonly summary: OperationSummary;
  readonly mode: AuthorizationMode;
  readonly guarded: readonly GuardedField[];
  /** The operation as it runs without these fields: never asked of a subgraph, null in the answer. */
  readonly compileWithout: (denied: ReadonlySet<FieldNode>) => PreparedOperation;
}

/** Different sets of grants that one operation is kept compiled for. */
const maxVariants = 50;

/** An operation of which some fields are not for everybody. What each caller may not see is gone before a plan is made. */
export function createGuardedOperation(options: GuardedOperationOptions): PreparedOperation {
  const { summary, mode, guarded, compileWithout } = options;
  const variants = new LRUCache<string, PreparedOperation>({ max: maxVariants });
  const requirements = new Map<string, Requirement>();
  for (const field of guarded) {
    for (const [key, requirement] of field.requirements) requirements.set(key, requirement);
  }

  function deniedTo({ grants = noGrants }: ExecutionRequest): readonly GuardedField[] {
    const expired = grants.expiresAtMs !== null && grants.expiresAtMs <= Date.now();
    const held = expired ? noGrants : grants;
    const missing = new Set<string>();
    for (const [key, requirement] of requirements) if (!isGranted(requirement, held)) missing.add(key);
    const denied = guarded.filter((field) => field.requirements.keys().some((key) => missing.has(key)));
    const paths = new Set(denied.map(({ path }) => path.join('.')));
    // What lies below a denied field goes with it.
    return denied.filter(
      ({ path }) => !path.some((_, end) => end > 0 && paths.has(path.slice(0, end).join('.'))),
    );
  }

  function variantWithout(denied: readonly GuardedField[]): PreparedOperation {
    const key = denied.map(({ path }) => path.join('.')).join(' ');
    let variant = variants.get(key);
    if (!variant) {
      variant = compileWithout(new Set(denied.map(({ node }) => node)));
      variants.set(key, variant);
    }
    return variant;
  }

  return {
    summary,
    heapBytes: 50_000,
    async execute(request) {
      const denied = deniedTo(request);
      if (denied.length > 0 && mode === 'refuse') return { errors: errorsFor(denied), data: null };
      const result = await variantWithout(denied).execute(request);
      return withDenied(result, denied);
    },
    async subscribe(request): Promise<LiveSubscription | ExecutionResult> {
      const denied = deniedTo(request);
      // Events without the field that was subscribed to say nothing.
      const nothingLeft = denied.some(({ path }) => path.length === 1);
      if (denied.length > 0 && (mode === 'refuse' || nothingLeft)) return { errors: errorsFor(denied) };
      const live = await variantWithout(denied).subscribe(request);
      if (!(Symbol.asyncIterator in live) || denied.length === 0) return live;
      const filtered: LiveSubscription = {
        async next() {
          const step = await live.next();
          return step.done ? step : { value: withDenied(step.value, denied), done: false };
        },
        return: () => live.return(),
        // The graph of a supergraph file never changes; rights that end close the subscription.
        continueWith: (operation, next) => live.continueWith(operation, next),
        [Symbol.asyncIterator]() {
          return this;
        },
      };
      return filtered;
    },
  };
}

/** With an error for each denied field, instead of what its being null led to. */
function withDenied(result: ExecutionResult, denied: readonly GuardedField[]): ExecutionResult {
  if (denied.length === 0 || result.data === undefined) return result;
  const paths = new Set(denied.map(({ path }) => path.join('.')));
  const others = (result.errors ?? []).filter(({ path }) => !path || !paths.has(namesOf(path)));
  return { ...result, errors: [...errorsFor(denied), ...others] };
}

function namesOf(path: readonly (string | number)[]): string {
  return path.filter((part) => typeof part === 'string').join('.');
}

function errorsFor(denied: readonly GuardedField[]): GraphQLError[] {
  return denied.map(
    ({ path }) =>
      new GraphQLError('Unauthorized field or type', {
        path,
        extensions: { code: 'UNAUTHORIZED_FIELD_OR_TYPE' },
      }),
  );
}
