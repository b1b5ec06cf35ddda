/** A GraphQL client as a frontend would have it: HTTP by fetch, subscriptions by graphql-ws. */
import { createClient as createWsClient, type Client as WsClient } from 'graphql-ws';
import { WebSocket } from 'ws';

export interface Credentials {
  /** The whole header: "Bearer …" or "ApiKey tk_…". */
  authorization?: string;
  'x-tenant-id'?: string;
}

export interface GraphQLFailure {
  message: string;
  path?: (string | number)[];
  extensions: {
    code: string;
    fields?: { field: string; rule: string; message: string }[];
    [name: string]: unknown;
  };
}

export interface Answer<Data> {
  status: number;
  headers: Headers;
  data: Data | null;
  errors: GraphQLFailure[] | undefined;
}

// oxlint-disable-next-line typescript/no-explicit-any -- the shape is the test's to know
type Anything = any;

export interface Subscription<Data> extends AsyncDisposable {
  /** The next event; rejects with the GraphQL errors or the close event that ended it. */
  next(): Promise<Data>;
  take(count: number): Promise<Data[]>;
}

export interface Client extends AsyncDisposable {
  readonly credentials: Credentials;
  send<Data = Anything>(query: string, variables?: Record<string, unknown>): Promise<Answer<Data>>;
  /** The data; throws when there is any error. */
  query<Data = Anything>(query: string, variables?: Record<string, unknown>): Promise<Data>;
  /** The code of the first error; throws when there is none. */
  codeOf(query: string, variables?: Record<string, unknown>): Promise<string>;
  /** Resolves once the server has taken the subscription's place in the log (a Pong after the Subscribe). */
  subscribe<Data = Anything>(query: string, variables?: Record<string, unknown>): Promise<Subscription<Data>>;
  /** Cuts the socket as a lost network would. */
  dropSocket(): void;
}

/** `url` is the product's base ("http://127.0.0.1:4000"). */
export function createClient(url: string, credentials: Credentials): Client {
  const send = async <Data>(query: string, variables?: Record<string, unknown>): Promise<Answer<Data>> => {
    const response = await fetch(`${url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(credentials as Record<string, string>) },
      body: JSON.stringify({ query, variables }),
    });
    const body = (await response.json()) as { data?: Data; errors?: GraphQLFailure[] };
    return {
      status: response.status,
      headers: response.headers,
      data: body.data ?? null,
      errors: body.errors,
    };
  };

  let ws: WsClient | undefined;
  let socket: WebSocket | undefined;
  const connect = (): WsClient =>
    createWsClient({
      url: `${url.replace('http', 'ws')}/graphql`,
      webSocketImpl: WebSocket,
      connectionParams: credentials as Record<string, unknown>,
      lazy: true,
      retryAttempts: 0,
      on: { opened: (opened) => (socket = opened as WebSocket) },
    });

  return {
    credentials,
    send,
    async query(query, variables) {
      const answer = await send<Anything>(query, variables);
      if (answer.errors || !answer.data)
        throw new Error(`${query.slice(0, 200)}\n${JSON.stringify(answer.errors, null, 1)}`);
      return answer.data;
    },
    async codeOf(query, variables) {
      const answer = await send(query, variables);
      const [error] = answer.errors ?? [];
      if (!error) throw new Error(`expected an error, got ${JSON.stringify(answer.data)}`);
      return error.extensions.code;
    },
    async subscribe<Data>(query: string, variables?: Record<string, unknown>): Promise<Subscription<Data>> {
      ws ??= connect();
      const client = ws;
      const iterator = client.iterate<Data & Record<string, unknown>>({ query, variables: variables ?? {} });
      const first = iterator.next();
      first.catch(() => undefined);
      let pending: Promise<IteratorResult<Anything>> | undefined = first;
      await Promise.race([subscribed(client, () => socket), first.catch(() => undefined)]);
      const next = async (): Promise<Data> => {
        const result = await (pending ?? iterator.next());
        pending = undefined;
        if (result.done) throw new Error('the subscription was completed by the server');
        if (result.value.errors)
          throw Object.assign(new Error(JSON.stringify(result.value.errors)), {
            errors: result.value.errors,
          });
        return result.value.data as Data;
      };
      return {
        next,
        async take(count) {
          const events: Data[] = [];
          while (events.length < count) events.push(await next());
          return events;
        },
        async [Symbol.asyncDispose]() {
          await iterator.return?.();
        },
      };
    },
    dropSocket() {
      socket?.terminate();
      socket = undefined;
      ws = undefined;
    },
    async [Symbol.asyncDispose]() {
      await ws?.dispose();
    },
  };
}

/** A Ping sent after the Subscribe is answered only when the subscription's place was taken. */
async function subscribed(client: WsClient, socket: () => WebSocket | undefined): Promise<void> {
  const open = socket();
  if (!open || open.readyState !== WebSocket.OPEN) {
    await new Promise<void>((resolve) => {
      const off = client.on('connected', () => {
        off();
        resolve();
      });
    });
    // graphql-ws sends the Subscribe right after this event's listeners.
    await new Promise((resolve) => setImmediate(resolve));
  }
  const ready = socket();
  if (!ready) throw new Error('the socket closed before the subscription was made');
  const id = crypto.randomUUID();
  await new Promise<void>((resolve) => {
    const onMessage = (data: unknown): void => {
      const message = JSON.parse(String(data)) as { type: string; payload?: { id?: string } };
      if (message.type !== 'pong' || message.payload?.id !== id) return;
      ready.off('message', onMessage);
      resolve();
    };
    ready.on('message', onMessage);
    ready.send(JSON.stringify({ type: 'ping', payload: { id } }));
  });
}
