/** Collects every broken rule of one input, so that its author sees them all at once. */
import { type FieldError, invalidInput } from '#schema/errors.ts';

export interface BrokenRules {
  /** `field` is the path below the input ("validation.min"), `rule` the rule's name. */
  add(field: string, rule: string, message: string): void;
  /** Throws BAD_USER_INPUT with all of them; nothing where there are none. */
  throwAny(): void;
  /** The same collection, with paths below `prefix` ("fields.3."). */
  below(prefix: string): BrokenRules;
}

export function createBrokenRules(): BrokenRules {
  return collect([], '');
}

function collect(found: FieldError[], prefix: string): BrokenRules {
  return {
    add(field, rule, message) {
      found.push({ field: prefix + field, rule, message });
    },
    throwAny() {
      if (found.length > 0) throw invalidInput(found);
    },
    below: (more) => collect(found, prefix + more),
  };
}
