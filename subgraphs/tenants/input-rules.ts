/** Rules of the inputs: each names the field and what it must be. */
import { type FieldError, invalidInput } from '#schema/errors.ts';

const longestName = 200;
const longestEmail = 254;
const shortestPassword = 8;
const longestPassword = 256;
const longestSettings = 64 * 1024;

/** One @, something before it, a host with a dot or none; no spaces, control characters or what quotes. */
const emailPattern = /^[^\s@<>"(),:;\\[\]\p{C}]+@[\p{L}\p{N}](?:[\p{L}\p{N}.-]*[\p{L}\p{N}])?$/u;
// oxlint-disable-next-line no-control-regex -- these are what is refused
const controlCharacters = /[\u0000-\u001f\u007f]/;

/** How many characters a text has, counted as Unicode code points. */
function codePoints(text: string): number {
  return Array.from(text).length;
}

/** Whether every text in `value` can be kept as jsonb. */
function isStorable(value: unknown): boolean {
  if (typeof value === 'string') return value.isWellFormed() && !value.includes('\u0000');
  if (typeof value !== 'object' || value === null) return true;
  return Object.entries(value).every(([key, member]) => isStorable(key) && isStorable(member));
}

/** Gathers the broken rules of one input; `done` throws them all at once. */
export interface InputCheck {
  name(field: string, value: string): void;
  email(field: string, value: string): void;
  password(field: string, value: string): void;
  settings(field: string, value: unknown): void;
  /** Adds a broken rule. */
  broken(field: string, rule: string, message: string): void;
  /** Throws BAD_USER_INPUT when any rule is broken. */
  done(): void;
}

export function createInputCheck(): InputCheck {
  const errors: FieldError[] = [];
  const broken = (field: string, rule: string, message: string) => {
    errors.push({ field, rule, message: `${field} ${message}` });
  };
  return {
    broken,
    name(field, value) {
      const length = codePoints(value);
      if (value.trim() === '' || length > longestName) {
        broken(field, 'length', `must have 1 to ${longestName} characters`);
      } else if (controlCharacters.test(value) || !value.isWellFormed())
        broken(field, 'characters', 'must not hold control characters or halves of characters');
    },
    email(field, value) {
      if (value.length > longestEmail || !emailPattern.test(value))
        broken(field, 'email', 'must be an e-mail address');
    },
    settings(field, value) {
      if (typeof value !== 'object' || value === null || Array.isArray(value)) {
        broken(field, 'object', 'must be an object');
      } else if (Object.keys(value).some((key) => key.startsWith('__'))) {
        broken(field, 'reserved', 'must not have members that begin with __');
      } else if (JSON.stringify(value).length > longestSettings) {
        broken(field, 'length', `must not be longer than ${longestSettings / 1024} KB`);
      } else if (!isStorable(value)) {
        broken(field, 'characters', 'must not hold U+0000 or halves of characters');
      }
    },
    password(field, value) {
      const length = codePoints(value);
      if (length < shortestPassword || length > longestPassword) {
        broken(field, 'length', `must have ${shortestPassword} to ${longestPassword} characters`);
      }
    },
    done() {
      if (errors.length > 0) throw invalidInput(errors);
    },
  };
}
