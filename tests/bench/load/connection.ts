/** One connection that sends the next request as soon as the last one is answered. */
import { connect } from 'node:net';

export interface Answered {
  readonly ms: number;
  /** Null: answered 200, and without GraphQL errors at the answer's beginning. */
  readonly failure: string | null;
}

const headersEnd = Buffer.from('\r\n\r\n');
const chunksEnd = Buffer.from('0\r\n\r\n');

/** Resolves when the connection has ended; an answer under way then is a failure. */
export function connectAsking(
  address: { host: string; port: number },
  nextRequest: () => Buffer,
  answered: (answer: Answered) => void,
  goesOn: () => boolean,
): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect({ ...address, noDelay: true });
    let startedAt = 0;
    let isWaiting = false;
    /** What has arrived of an answer whose headers are not whole yet. */
    let head: Buffer | null = null;
    let failure: string | null = null;
    /** Bytes of the body that are still to come; -1: it comes in chunks. */
    let missing = 0;

    const ask = (): void => {
      if (!goesOn()) {
        socket.end();
        return;
      }
      head = null;
      failure = null;
      missing = 0;
      isWaiting = true;
      startedAt = performance.now();
      socket.write(nextRequest());
    };
    const done = (): void => {
      isWaiting = false;
      answered({ ms: performance.now() - startedAt, failure });
      ask();
    };
    const readHead = (bytes: Buffer, end: number): void => {
      const text = bytes.toString('latin1', 0, end);
      const start = bytes.toString('latin1', end + 4, end + 40);
      if (!text.startsWith('HTTP/1.1 200') || start.includes('"errors"'))
        failure = `${text.slice(0, 12)} ${bytes.toString('latin1', end + 4, end + 400)}`;
      const length = /\r\ncontent-length: *(\d+)/i.exec(text)?.[1];
      missing = length === undefined ? -1 : Number(length);
    };

    socket.once('connect', ask);
    socket.on('data', (chunk) => {
      let body = chunk;
      if (missing === 0) {
        const bytes = head ? Buffer.concat([head, chunk]) : chunk;
        const end = bytes.indexOf(headersEnd);
        if (end < 0) {
          head = bytes;
          return;
        }
        readHead(bytes, end);
        body = bytes.subarray(end + headersEnd.length);
      }
      if (missing === -1) {
        if (body.length >= 5 && body.subarray(-5).equals(chunksEnd)) done();
        return;
      }
      missing -= body.length;
      if (missing <= 0) done();
    });
    socket.on('error', () => socket.destroy());
    socket.once('close', () => {
      if (isWaiting && goesOn()) answered({ ms: performance.now() - startedAt, failure: 'no answer' });
      resolve();
    });
  });
}
