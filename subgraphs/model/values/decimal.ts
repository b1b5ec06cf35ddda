/**
 * DECIMAL: exact numbers, kept as text in one spelling (no superfluous zeros, no plus, no exponent), so that equal
 * numbers are equal texts. No double is ever between a value and its answer.
 */
import type { FieldDefinition } from '../definition.ts';
import { show } from './report.ts';
import type { Report } from './report.ts';

type Validated = Pick<FieldDefinition, 'validation'>;

/** Digits of one value, before and after the point. */
export const maxDecimalPrecision = 38;

/** Significant digits that a JSON number keeps whatever it went through. */
const safeNumberDigits = 15;

/** The one spelling of a plain decimal number; null for anything else. */
export function readDecimal(text: string): string | null {
  const match = /^([+-]?)(\d+)(?:\.(\d+))?$/.exec(text);
  if (!match) return null;
  const [, sign, whole = '', fraction = ''] = match;
  let start = 0;
  while (start < whole.length - 1 && whole[start] === '0') start++;
  let end = fraction.length;
  while (end > 0 && fraction[end - 1] === '0') end--;
  const digits = whole.slice(start) + (end === 0 ? '' : `.${fraction.slice(0, end)}`);
  return sign === '-' && digits !== '0' ? `-${digits}` : digits;
}

/** Negative, 0 or positive, as `a` is below, equal to or above `b`; both in their one spelling. */
export function compareDecimals(a: string, b: string): number {
  if (a === b) return 0;
  const [wholeA = '', fractionA = ''] = a.split('.');
  const [wholeB = '', fractionB = ''] = b.split('.');
  const length = Math.max(fractionA.length, fractionB.length);
  const difference =
    BigInt(wholeA + fractionA.padEnd(length, '0')) - BigInt(wholeB + fractionB.padEnd(length, '0'));
  return difference < 0n ? -1 : 1;
}

/** As people read it: with as many digits after the point as the field's scale says, or more where there are. */
export function showDecimal(decimal: string, { validation }: Validated): string {
  const scale = validation?.scale ?? 0;
  const [whole = '', fraction = ''] = decimal.split('.');
  return fraction.length >= scale ? decimal : `${whole}.${fraction.padEnd(scale, '0')}`;
}

/** Text, or a number of at most 15 significant digits; nothing is rounded. */
export function parseDecimal(value: unknown, field: Validated, report: Report): string | undefined {
  const decimal = readInput(value);
  if (decimal === null) {
    const advice =
      typeof value === 'number' ? `; numbers of more than ${safeNumberDigits} digits are given as text` : '';
    report('decimal', `must be a decimal number such as "1234.50", not ${show(value)}${advice}`);
    return undefined;
  }
  let isGood = true;
  const complain: Report = (rule, sentence) => {
    isGood = false;
    report(rule, sentence);
  };
  checkDigits(decimal, field, complain);
  checkRange(decimal, field, complain);
  return isGood ? decimal : undefined;
}

function readInput(value: unknown): string | null {
  if (typeof value === 'string') return value.length > 1_000 ? null : readDecimal(value);
  if (typeof value !== 'number') return null;
  const decimal = readDecimal(String(value));
  const digits = decimal?.replace(/^-?0?\.?0*|\./g, '').length ?? 0;
  return digits > safeNumberDigits ? null : decimal;
}

function checkDigits(decimal: string, { validation }: Validated, complain: Report): void {
  const scale = validation?.scale ?? null;
  const precision = Math.min(validation?.precision ?? maxDecimalPrecision, maxDecimalPrecision);
  const [whole = '', fraction = ''] = decimal.replace('-', '').split('.');
  const wholeDigits = whole === '0' ? 0 : whole.length;
  if (scale !== null && fraction.length > scale) {
    complain('scale', `must have at most ${scale} digits after the point, has ${fraction.length}`);
  }
  // A scale is kept free: what is before the point may not use its digits up.
  if (wholeDigits + (scale ?? fraction.length) > precision) {
    const limit = scale === null ? `${precision} digits` : `${precision - scale} digits before the point`;
    complain('precision', `must have at most ${limit}, not ${show(decimal)}`);
  }
}

function checkRange(decimal: string, { validation }: Validated, complain: Report): void {
  const { min, max } = validation ?? {};
  const least = readLimit(min);
  const most = readLimit(max);
  if (least !== null && compareDecimals(decimal, least) < 0)
    complain('min', `must be at least ${least}, not ${decimal}`);
  if (most !== null && compareDecimals(decimal, most) > 0)
    complain('max', `must be at most ${most}, not ${decimal}`);
}

/** A limit as a definition has it, text or number; null where it is none. */
export function readLimit(limit: unknown): string | null {
  return limit === null || limit === undefined ? null : readInput(limit);
}
