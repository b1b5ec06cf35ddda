/** How days are written in files, beside ISO 8601. A time may follow the day in each. */
import { readDate, readDateTime } from '#subgraphs/model/values/date.ts';

/** `MMM` is an English month's name, whole or its first three letters. Leading zeros may be missing. */
export const dateFormats = [
  'YYYY-MM-DD',
  'YYYY/MM/DD',
  'DD.MM.YYYY',
  'MMM DD YYYY',
  'DD MMM YYYY',
  'MM/DD/YYYY',
  'DD/MM/YYYY',
] as const;
export type DateFormat = (typeof dateFormats)[number];

/** 03/04/2026 is a day in both of them. */
const ambiguous: readonly DateFormat[] = ['MM/DD/YYYY', 'DD/MM/YYYY'];

/** Formats that can be told from a single value. */
export const plainDateFormats: readonly DateFormat[] = dateFormats.filter(
  (format) => !ambiguous.includes(format),
);

const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const monthPattern =
  'jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?';

const dayPatterns: Readonly<Record<DateFormat, string>> = {
  'YYYY-MM-DD': '(?<year>\\d{4})-(?<month>\\d{1,2})-(?<day>\\d{1,2})',
  'YYYY/MM/DD': '(?<year>\\d{4})/(?<month>\\d{1,2})/(?<day>\\d{1,2})',
  'DD.MM.YYYY': '(?<day>\\d{1,2})\\.(?<month>\\d{1,2})\\.(?<year>\\d{4})',
  'MMM DD YYYY': `(?<month>${monthPattern})\\.?[ -](?<day>\\d{1,2}),?[ -](?<year>\\d{4})`,
  'DD MMM YYYY': `(?<day>\\d{1,2})[ -](?<month>${monthPattern})\\.?[ -](?<year>\\d{4})`,
  'MM/DD/YYYY': '(?<month>\\d{1,2})/(?<day>\\d{1,2})/(?<year>\\d{4})',
  'DD/MM/YYYY': '(?<day>\\d{1,2})/(?<month>\\d{1,2})/(?<year>\\d{4})',
};
const timePattern =
  '(?:[Tt]|,? )(?<hour>\\d{1,2}):(?<minute>\\d{2})(?::(?<second>\\d{2})(?:[.,](?<fraction>\\d{1,9}))?)?(?: ?(?<half>[AaPp][Mm]))?(?: ?(?<zone>[Zz]|UTC|[+-]\\d{2}:?\\d{2}))?';

interface Patterns {
  day: RegExp;
  dateTime: RegExp;
}

const patterns = Object.fromEntries(
  dateFormats.map((format) => [
    format,
    {
      day: new RegExp(`^${dayPatterns[format]}$`, 'i'),
      dateTime: new RegExp(`^${dayPatterns[format]}(?:${timePattern})?$`, 'i'),
    },
  ]),
) as Record<DateFormat, Patterns>;

type Groups = Record<string, string | undefined>;

/** `YYYY-MM-DD`, or null where the text is no day of the calendar in this format. */
export function readDay(text: string, format: DateFormat): string | null {
  const groups = patterns[format].day.exec(text)?.groups;
  return groups ? dayOf(groups) : null;
}

/** ISO 8601 in UTC with milliseconds, or null. A time without its offset counts as UTC; a day alone is its first instant. */
export function readMoment(text: string, format: DateFormat): string | null {
  const groups = patterns[format].dateTime.exec(text)?.groups;
  const day = groups ? dayOf(groups) : null;
  if (!groups || day === null) return null;
  const hour = hourOf(groups);
  if (hour === null) return null;
  const fraction = (groups.fraction ?? '0').slice(0, 3);
  return readDateTime(
    `${day}T${hour}:${groups.minute ?? '00'}:${groups.second ?? '00'}.${fraction}${offsetOf(groups)}`,
  );
}

function dayOf(groups: Groups): string | null {
  const month = groups.month ?? '';
  const number = /^\d/.test(month) ? Number(month) : months.indexOf(month.slice(0, 3).toLowerCase()) + 1;
  return readDate(`${groups.year}-${String(number).padStart(2, '0')}-${(groups.day ?? '').padStart(2, '0')}`);
}

function hourOf(groups: Groups): string | null {
  const hour = Number(groups.hour ?? 0);
  if (groups.half === undefined) return String(hour).padStart(2, '0');
  if (hour < 1 || hour > 12) return null;
  const isAfternoon = groups.half.toLowerCase() === 'pm';
  return String((hour % 12) + (isAfternoon ? 12 : 0)).padStart(2, '0');
}

function offsetOf({ zone }: Groups): string {
  if (zone === undefined || /^(?:z|utc)$/i.test(zone)) return 'Z';
  return zone.includes(':') ? zone : `${zone.slice(0, 3)}:${zone.slice(3)}`;
}
