/** INTEGER, NUMBER and BOOLEAN. */
import type { FieldDefinition } from '../definition.ts';
import { show } from './report.ts';
import type { Report } from './report.ts';

type Validated = Pick<FieldDefinition, 'validation'>;

const int32 = { min: -(2 ** 31), max: 2 ** 31 - 1 } as const;

/** A whole number of 32 bits, as GraphQL's Int. */
export function parseInteger(value: unknown, field: Validated, report: Report): number | undefined {
  if (typeof value !== 'number' || !Number.isInteger(value)) {
    report('type', `must be a whole number, not ${show(value)}`);
    return undefined;
  }
  if (value < int32.min || value > int32.max) {
    report(
      'range',
      `must lie between ${int32.min} and ${int32.max}, not ${value}; a field of type NUMBER serves for larger ones`,
    );
    return undefined;
  }
  return withinLimits(value, field, report);
}

/** Any finite double. */
export function parseNumber(value: unknown, field: Validated, report: Report): number | undefined {
  if (typeof value !== 'number' || !Number.isFinite(value)) {
    report('type', `must be a finite number, not ${typeof value === 'number' ? value : show(value)}`);
    return undefined;
  }
  return withinLimits(value, field, report);
}

export function parseBoolean(value: unknown, _field: unknown, report: Report): boolean | undefined {
  if (typeof value === 'boolean') return value;
  report('type', `must be true or false, not ${show(value)}`);
  return undefined;
}

function withinLimits(value: number, field: Validated, report: Report): number | undefined {
  const { min, max } = field.validation ?? {};
  const isBelow = typeof min === 'number' && value < min;
  const isAbove = typeof max === 'number' && value > max;
  if (isBelow) report('min', `must be at least ${min}, not ${value}`);
  if (isAbove) report('max', `must be at most ${max}, not ${value}`);
  // JSON has no negative zero: what is stored is what is answered.
  return isBelow || isAbove ? undefined : value + 0;
}
