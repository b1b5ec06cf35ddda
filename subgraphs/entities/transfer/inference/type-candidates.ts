/** Which types every text of a column would fit. */
import type { FieldType } from '#subgraphs/model/definition.ts';
import type { Report } from '#subgraphs/model/values/report.ts';
import { checkEmail, checkPhone, checkUrl } from '#subgraphs/model/values/text.ts';
import { type DateFormat, dateFormats, readDay, readMoment } from '../values/date-formats.ts';
import { readBooleanText, readNumberText } from '../values/numeric-text.ts';

export interface TypeCandidate {
  readonly type: FieldType;
  readonly dateFormat: DateFormat | null;
  /** Only where every value is text by nature (CSV): in JSON, "12" was meant as text. */
  readonly isPlain: boolean;
  fits(text: string): boolean;
}

const int32 = { min: -(2 ** 31), max: 2 ** 31 - 1 } as const;

/** What INTEGER holds; other numbers fit NUMBER. */
export function isInt32(value: number): boolean {
  return Number.isInteger(value) && value >= int32.min && value <= int32.max;
}

function passes(check: (text: string, report: Report) => void, maxLength: number) {
  return (text: string): boolean => {
    let isGood = text.length <= maxLength;
    check(text, () => {
      isGood = false;
    });
    return isGood;
  };
}

const plain = (type: FieldType, fits: (text: string) => boolean): TypeCandidate => ({
  type,
  dateFormat: null,
  isPlain: true,
  fits,
});
const formatted = (type: FieldType, fits: (text: string) => boolean): TypeCandidate => ({
  type,
  dateFormat: null,
  isPlain: false,
  fits,
});

/** The narrowest first: the first one that all values fit is the column's type. */
export const typeCandidates: readonly TypeCandidate[] = [
  plain('BOOLEAN', (text) => readBooleanText(text) !== null),
  plain('INTEGER', (text) => {
    const value = readNumberText(text);
    return value !== null && isInt32(value) && !/[.eE]/.test(text);
  }),
  plain('NUMBER', (text) => readNumberText(text) !== null),
  ...dateFormats.map(
    (dateFormat): TypeCandidate => ({
      type: 'DATE',
      dateFormat,
      isPlain: false,
      fits: (text) => readDay(text, dateFormat) !== null,
    }),
  ),
  ...dateFormats.map(
    (dateFormat): TypeCandidate => ({
      type: 'DATETIME',
      dateFormat,
      isPlain: false,
      fits: (text) => readMoment(text, dateFormat) !== null,
    }),
  ),
  formatted('EMAIL', passes(checkEmail, 254)),
  formatted('URL', passes(checkUrl, 2_048)),
  formatted('PHONE', passes(checkPhone, 16)),
];
