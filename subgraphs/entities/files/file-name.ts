/** A file's name as it is kept: shown to people and put into headers, never part of a path. */

const maxLength = 255;

/** The last part of a path, without what cannot be shown; null where nothing is left of it. */
export function cleanFileName(text: string): string | null {
  const name = text
    .replace(/^.*[\\/]/s, '')
    // Controls, and the marks that make a text read from right to left: "gpj.exe" shown as "exe.jpg".
    .replace(/[\p{Cc}\p{Bidi_Control}]/gu, '')
    .toWellFormed()
    .trim();
  const short = name.length > maxLength ? shorten(name) : name;
  return short === '' || short === '.' || short === '..' ? null : short;
}

/** Its end is kept: that is what tells what it is. */
function shorten(name: string): string {
  const end = /\.[^.]{1,16}$/.exec(name)?.[0] ?? '';
  return `${name.slice(0, maxLength - end.length)}${end}`.toWellFormed();
}
