/** Whole HTTP requests as bytes, made once and sent many times. */

export interface LoadRequest {
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface LoadAssignment {
  readonly url: string;
  readonly connections: number;
  /** Sent in turn, by all connections together. */
  readonly requests: readonly LoadRequest[];
  /** Gives every request an Authorization that no other one has. */
  readonly distinctAuthorization?: boolean;
}

const placeholder = '0'.repeat(32);

/** Answers the next request's bytes. They are to be written before the next is asked for. */
export function createRequestSource(assignment: LoadAssignment): { next(): Buffer } {
  const { host, pathname } = new URL(assignment.url);
  const requests = assignment.requests.map(({ body, headers = {} }) => {
    const lines = Object.entries({
      host,
      accept: 'application/json',
      'content-type': 'application/json',
      'content-length': String(Buffer.byteLength(body)),
      ...(assignment.distinctAuthorization ? { authorization: `Bearer ${placeholder}` } : {}),
      ...headers,
    }).map(([name, value]) => `${name}: ${value}\r\n`);
    return Buffer.from(`POST ${pathname} HTTP/1.1\r\n${lines.join('')}\r\n${body}`);
  });
  const places = requests.map((bytes) => bytes.indexOf(placeholder));
  let sent = 0;
  return {
    next() {
      const index = sent++ % requests.length;
      const bytes = requests[index] as Buffer;
      const place = places[index] as number;
      if (!assignment.distinctAuthorization) return bytes;
      // A copy: a socket may still hold the one before.
      const own = Buffer.from(bytes);
      own.write(`${process.pid}x${sent}x`.padEnd(placeholder.length, 'x'), place, 'latin1');
      return own;
    },
  };
}
