/**
 * DATE is kept as `YYYY-MM-DD`, DATETIME as `YYYY-MM-DDTHH:mm:ss.sssZ`: years 0001 to 9999, so both also order as text.
 */
import type { FieldDefinition } from '../definition.ts';
import { show } from './report.ts';
import type { Report } from './report.ts';

type Validated = Pick<FieldDefinition, 'validation'>;

const datePattern = /^(\d{4})-(\d{2})-(\d{2})$/;
const dateTimePattern =
  /^(\d{4}-\d{2}-\d{2})[Tt](\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?(?:([Zz])|([+-])(\d{2}):(\d{2}))$/;

/** The same text where it is a day of the calendar, else null. */
export function readDate(text: string): string | null {
  const match = datePattern.exec(text);
  if (!match) return null;
  const [year, month, day] = [Number(match[1]), Number(match[2]), Number(match[3])];
  if (year < 1 || month < 1 || month > 12 || day < 1) return null;
  const isLeap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
  const days = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1] as number;
  return day <= days ? text : null;
}

/** An RFC 3339 date and time in UTC with milliseconds (finer fractions are cut off), else null. */
export function readDateTime(text: string): string | null {
  const match = dateTimePattern.exec(text);
  if (!match || readDate(match[1] as string) === null) return null;
  const [hour, minute, second] = [Number(match[2]), Number(match[3]), Number(match[4])];
  const [offsetHour, offsetMinute] = [Number(match[8] ?? 0), Number(match[9] ?? 0)];
  if (hour > 23 || minute > 59 || second > 59 || offsetHour > 23 || offsetMinute > 59) return null;
  const fraction = (match[5] ?? '').padEnd(3, '0').slice(0, 3);
  const local = Date.parse(`${match[1]}T${match[2]}:${match[3]}:${match[4]}.${fraction}Z`);
  const offset = (offsetHour * 60 + offsetMinute) * 60_000 * (match[7] === '-' ? -1 : 1);
  const text24 = new Date(local - offset).toISOString();
  // Five-digit years are written with a sign; the year 0000 is not one of ours.
  return /^\d{4}-/.test(text24) && !text24.startsWith('0000') ? text24 : null;
}

export function parseDate(value: unknown, field: Validated, report: Report): string | undefined {
  const date = typeof value === 'string' ? readDate(value) : null;
  if (date !== null) return withinLimits(date, field, readDate, report);
  report('date', `must be a day of the calendar as YYYY-MM-DD, not ${show(value)}`);
  return undefined;
}

export function parseDateTime(value: unknown, field: Validated, report: Report): string | undefined {
  const text = value instanceof Date && !Number.isNaN(value.getTime()) ? value.toISOString() : value;
  const dateTime = typeof text === 'string' ? readDateTime(text) : null;
  if (dateTime !== null) return withinLimits(dateTime, field, readDateTime, report);
  report(
    'dateTime',
    `must be a date and time with its offset such as 2026-11-21T09:30:00Z, not ${show(value)}`,
  );
  return undefined;
}

function withinLimits(
  value: string,
  field: Validated,
  read: (text: string) => string | null,
  report: Report,
): string | undefined {
  const { min, max } = field.validation ?? {};
  const earliest = typeof min === 'string' ? read(min) : null;
  const latest = typeof max === 'string' ? read(max) : null;
  const isBefore = earliest !== null && value < earliest;
  const isAfter = latest !== null && value > latest;
  if (isBefore) report('min', `must not be before ${earliest}, is ${value}`);
  if (isAfter) report('max', `must not be after ${latest}, is ${value}`);
  return isBefore || isAfter ? undefined : value;
}
