import { createGraphiQLFetcher, type Fetcher } from '@graphiql/toolkit';
import { createClient } from 'graphql-ws';
import { type Credentials, credentialHeaders } from './credentials.ts';

export interface GraphConnection {
  readonly fetcher: Fetcher;
  /** Ends what is subscribed. */
  close(): void;
}

/** Requests over HTTP, subscriptions over graphql-transport-ws, both to `url` and both as `credentials`. */
export function connectGraph(url: URL, credentials: Credentials): GraphConnection {
  const headers = credentialHeaders(credentials);
  const socketUrl = new URL(url);
  socketUrl.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  const socket = createClient({ url: socketUrl.href, lazy: true, connectionParams: headers });
  return {
    fetcher: createGraphiQLFetcher({ url: url.href, headers, wsClient: socket }),
    close: () => void socket.dispose(),
  };
}
