/** TEXT, LONG_TEXT, EMAIL, URL and PHONE: kept exactly as given. */
import { RE2JS } from 're2js';
import type { FieldDefinition, FieldValidation } from '../definition.ts';
import { countCodePoints } from '../fold.ts';
import { isStorableText, show } from './report.ts';
import type { Report } from './report.ts';

type Validated = Pick<FieldDefinition, 'validation'>;
type Format = (text: string, report: Report) => void;

/** Code points, whatever the definition allows. */
export const textLimits = { TEXT: 4_000, LONG_TEXT: 1_000_000, EMAIL: 254, URL: 2_048, PHONE: 16 } as const;

/** A parser for text of at most `limit` code points. The stored value is the text itself; undefined: reported. */
export function textParser(limit: number, format?: Format) {
  return (value: unknown, field: Validated, report: Report): string | undefined => {
    if (typeof value !== 'string') {
      report('type', `must be text, not ${show(value)}`);
      return undefined;
    }
    if (!isStorableText(value, report)) return undefined;
    let isGood = true;
    const complain: Report = (rule, sentence) => {
      isGood = false;
      report(rule, sentence);
    };
    checkLength(value, limit, field.validation, complain);
    format?.(value, complain);
    // A linear-time engine: no pattern of one tenant can hold up the others.
    const pattern = field.validation?.pattern;
    if (isGood && pattern && !compilePattern(pattern).matcher(value).find()) {
      complain('pattern', `must match the pattern ${pattern}`);
    }
    return isGood ? value : undefined;
  };
}

function checkLength(value: string, limit: number, validation: FieldValidation | null, report: Report): void {
  const minLength = validation?.minLength ?? 0;
  const maxLength = Math.min(validation?.maxLength ?? limit, limit);
  // A text has at most as many code points as units, and at least half as many.
  if (value.length <= maxLength && value.length >= minLength * 2) return;
  const length = countCodePoints(value);
  if (length < minLength) report('minLength', `must have at least ${minLength} characters, has ${length}`);
  if (length > maxLength) report('maxLength', `must have at most ${maxLength} characters, has ${length}`);
}

/** Compiled patterns by their text; the oldest goes when there are too many. */
const patterns = new Map<string, RE2JS>();
const maxPatterns = 1_000;

/** Throws where the pattern is not in RE2's syntax. */
export function compilePattern(pattern: string): RE2JS {
  const known = patterns.get(pattern);
  if (known) return known;
  const compiled = RE2JS.compile(pattern);
  if (patterns.size >= maxPatterns) patterns.delete(patterns.keys().next().value as string);
  patterns.set(pattern, compiled);
  return compiled;
}

/** One `@`, a local part of up to 64 characters, and a domain of at least two labels. Both may be in any script. */
export function checkEmail(text: string, report: Report): void {
  const at = text.lastIndexOf('@');
  const local = text.slice(0, at);
  const labels = text.slice(at + 1).split('.');
  const isGood =
    at > 0 &&
    local.length <= 64 &&
    /^[^\s"(),:;<>@[\\\]\p{C}]+$/u.test(local) &&
    !local.startsWith('.') &&
    !local.endsWith('.') &&
    !local.includes('..') &&
    labels.length >= 2 &&
    labels.every(
      (label) => label.length <= 63 && /^[\p{L}\p{N}\p{M}-]+$/u.test(label) && !/^-|-$/.test(label),
    );
  if (!isGood) report('email', `must be an e-mail address such as ada@example.com, not ${show(text)}`);
}

/** An absolute http or https URL. */
export function checkUrl(text: string, report: Report): void {
  const url = /\s/u.test(text) ? null : URL.parse(text);
  if (!url || (url.protocol !== 'http:' && url.protocol !== 'https:') || !/^https?:\/\//i.test(text)) {
    report('url', `must be a full http or https URL such as https://example.com/a, not ${show(text)}`);
  }
}

/** E.164: a plus, the country's code and the number, digits only. */
export function checkPhone(text: string, report: Report): void {
  if (!/^\+[1-9][0-9]{6,14}$/.test(text)) {
    report('phone', `must be a phone number in E.164 form such as +491701234567, not ${show(text)}`);
  }
}
