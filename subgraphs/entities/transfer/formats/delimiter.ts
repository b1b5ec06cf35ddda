/** Which character separates a CSV file's cells, read from its beginning. */

const candidates = [',', ';', '\t', '|'] as const;

/** Records looked at. */
const sampleSize = 20;

/**
 * The candidate that splits the most records into as many cells as the first one; a comma where none does. Text in
 * quotes does not count.
 */
export function sniffDelimiter(text: string): string {
  let best = ',';
  let bestScore = 0;
  for (const candidate of candidates) {
    const counts = countPerRecord(text, candidate);
    const first = counts[0] ?? 0;
    if (first === 0) continue;
    const alike = counts.filter((count) => count === first).length / counts.length;
    // A few more separators in each record decide between two that both fit everywhere.
    const score = alike + Math.min(first, 100) / 1_000;
    if (score > bestScore) [best, bestScore] = [candidate, score];
  }
  return best;
}

/** Separators in each of the first records. The last one may be cut off: it counts only where it is alone. */
function countPerRecord(text: string, delimiter: string): number[] {
  const counts: number[] = [];
  let count = 0;
  let isQuoted = false;
  let isEmpty = true;
  for (const character of text) {
    if (character === '"') isQuoted = !isQuoted;
    else if (isQuoted) continue;
    else if (character === delimiter) count += 1;
    else if (character === '\n') {
      if (!isEmpty) counts.push(count);
      if (counts.length === sampleSize) return counts;
      count = 0;
      isEmpty = true;
      continue;
    }
    if (character !== '\r') isEmpty = false;
  }
  return counts.length > 0 ? counts : [count];
}
