/** Numbers and truth values as files write them. */

const integerPattern = /^-?(?:0|[1-9]\d*)$/;
const numberPattern = /^-?(?:(?:0|[1-9]\d*)(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d{1,3})?$/;

/** Text that is a number and nothing else. "007" is a name made of digits; so is what a double cannot hold exactly. */
export function readNumberText(text: string): number | null {
  if (!numberPattern.test(text)) return null;
  const value = Number(text);
  if (!Number.isFinite(value)) return null;
  if (integerPattern.test(text)) return Number.isSafeInteger(value) ? value : null;
  const digits = text
    .replace(/[eE].*$/, '')
    .replace(/\D/g, '')
    .replace(/^0+/, '');
  return digits.length <= 17 ? value : null;
}

const truths: Readonly<Record<string, boolean>> = { true: true, yes: true, false: false, no: false };

/** `true yes false no`, in any case. */
export function readBooleanText(text: string): boolean | null {
  const word = text.toLowerCase();
  return Object.hasOwn(truths, word) ? (truths[word] as boolean) : null;
}
