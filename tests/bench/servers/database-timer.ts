/**
 * Loaded into a product's process with --import: how long PostgreSQL's answers took, from sending a statement to having
 * its rows, waiting in the connection's pipeline included.
 */
import pg from 'pg';

/** What `pg` is given to run: text, or an object of its own that is told when its answer is whole. */
interface Submittable {
  handleReadyForQuery?(...parameters: unknown[]): void;
}

let timesMs: number[] = [];
const prototype = pg.Client.prototype as unknown as {
  query(this: pg.Client, ...parameters: unknown[]): unknown;
};
const { query } = prototype;
prototype.query = function timed(...parameters) {
  const started = performance.now();
  const note = (): void => {
    timesMs.push(performance.now() - started);
  };
  const submitted = parameters[0] as Submittable;
  const ended = submitted.handleReadyForQuery;
  if (ended) {
    submitted.handleReadyForQuery = function end(...told) {
      note();
      ended.apply(this, told);
    };
  }
  const answer = query.apply(this, parameters);
  if (answer instanceof Promise) answer.then(note, note);
  return answer;
};

process.on('message', (message) => {
  if (message !== 'database times') return;
  const sorted = timesMs.toSorted((left, right) => left - right);
  const at = (share: number) => sorted[Math.floor(sorted.length * share)] ?? 0;
  process.send?.({ statements: sorted.length, p50Ms: at(0.5), p95Ms: at(0.95) });
  timesMs = [];
});
process.channel?.unref();
