/** Batches that are written all or nothing, of which as much as can be shall be written. */
import { DomainError } from '#schema/errors.ts';
import { isRowFault } from './row-error.ts';

export interface Halving<Row> {
  /** All of them or none. */
  write(rows: readonly Row[]): Promise<void>;
  /** A row that is refused by itself. */
  refuse(row: Row, error: DomainError): Promise<void> | void;
  /** Ends at the first row that is refused; those before it are written. */
  readonly stopsAtError?: boolean;
}

/**
 * Halves what is refused until the bad rows stand alone: about two attempts for each of them and each halving. In the rows'
 * order. Throws what is no row's fault. Answers whether it came to the end.
 */
export async function writeHalving<Row>(rows: readonly Row[], halving: Halving<Row>): Promise<boolean> {
  if (rows.length === 0) return true;
  try {
    await halving.write(rows);
    return true;
  } catch (error) {
    // Of what an entity's limit does not let through as a whole, the beginning may do.
    const isTooMuch = error instanceof DomainError && error.code === 'RATE_LIMITED' && rows.length > 1;
    if (!isRowFault(error) && !isTooMuch) throw error;
    const [row] = rows;
    if (row !== undefined && rows.length === 1 && isRowFault(error)) {
      await halving.refuse(row, error);
      return halving.stopsAtError !== true;
    }
    const middle = Math.ceil(rows.length / 2);
    return (await writeHalving(rows.slice(0, middle), halving)) && writeHalving(rows.slice(middle), halving);
  }
}
