/** Subscribes many times, each on a socket of its own, and has events made: the next when all have got one. In its own process. */
import { setTimeout as delay } from 'node:timers/promises';
import { WebSocket } from 'ws';

export interface SubscribersAssignment {
  /** Its `/graphql` speaks graphql-transport-ws. */
  readonly url: string;
  readonly authorization: string;
  readonly query: string;
  /** The variables of each subscriber. */
  readonly variables: readonly Record<string, unknown>[];
  /** What makes an event. */
  readonly trigger: { readonly url: string; readonly body: string };
  /** Events under way at once. */
  readonly inFlight: number;
}

/** What is told by IPC to `report`; counts begin anew with `reset`. */
export interface SubscribersReport {
  readonly deliveries: number;
  readonly events: number;
  readonly failures: number;
  /** Between the trigger and the last subscriber's delivery. */
  readonly p50Ms: number;
}

const assignment = JSON.parse(process.argv[2] ?? '{}') as SubscribersAssignment;
const { variables, trigger, authorization } = assignment;
let deliveries = 0;
let failures = 0;
let spreadsMs: number[] = [];
/** When each event was asked for that not everybody has. */
let asked: number[] = [];
/** Since the last event that everybody has. */
let partly = 0;
let isRunning = true;

async function ask(): Promise<void> {
  if (!isRunning) return;
  asked.push(performance.now());
  try {
    const response = await fetch(trigger.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization },
      body: trigger.body,
    });
    const answer = (await response.json()) as { errors?: unknown };
    if (answer.errors) throw new Error(JSON.stringify(answer.errors));
  } catch (error) {
    failures += 1;
    process.stderr.write(`${String(error)}\n`);
    await delay(100);
  }
}

function delivered(): void {
  deliveries += 1;
  partly += 1;
  if (partly < variables.length) return;
  partly = 0;
  const at = asked.shift();
  if (at !== undefined) spreadsMs.push(performance.now() - at);
  void ask();
}

function connect(own: Record<string, unknown>): Promise<void> {
  const socket = new WebSocket(`${assignment.url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws', {
    perMessageDeflate: false,
  });
  const id = crypto.randomUUID();
  const isEvent = `{"id":"${id}","type":"next","payload":{"data":`;
  socket.on('open', () =>
    socket.send(JSON.stringify({ type: 'connection_init', payload: { authorization } })),
  );
  return new Promise((resolve, reject) => {
    socket.on('error', reject);
    socket.on('close', (code) => isRunning && reject(new Error(`closed with ${code}`)));
    socket.on('message', (data) => {
      const text = (data as Buffer).toString('latin1');
      if (text.startsWith(isEvent)) return delivered();
      if (text === '{"type":"connection_ack"}') {
        const payload = { query: assignment.query, variables: own };
        socket.send(JSON.stringify({ type: 'subscribe', id, payload }));
        socket.send('{"type":"ping"}');
      } else if (text.includes('"pong"')) resolve();
      else if (!text.includes('"ping"')) reject(new Error(text.slice(0, 500)));
    });
  });
}

// It waits to be told what to do.
process.channel?.ref();
process.on('message', (message) => {
  if (message === 'reset') {
    deliveries = 0;
    failures = 0;
    spreadsMs = [];
    process.send?.('reset');
  } else if (message === 'report') {
    const sorted = spreadsMs.toSorted((left, right) => left - right);
    const report: SubscribersReport = {
      deliveries,
      events: sorted.length,
      failures,
      p50Ms: sorted[Math.floor(sorted.length / 2)] ?? 0,
    };
    process.send?.(report);
  } else if (message === 'stop') {
    isRunning = false;
    process.exit();
  } else if (message === 'start') {
    process.send?.('started');
    asked = [];
    for (let index = 0; index < assignment.inFlight; index += 1) void ask();
  } else if (message === 'connect') {
    connectAll().then(
      () => process.send?.('connected'),
      (error: unknown) => process.send?.(String(error)),
    );
  }
});

/** A few at a time: a server's backlog is bounded. */
async function connectAll(): Promise<void> {
  for (let start = 0; start < variables.length; start += 50) {
    await Promise.all(variables.slice(start, start + 50).map(connect));
  }
}
