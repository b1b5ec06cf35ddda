import { createGraphiQLFetcher, type Fetcher } from '@graphiql/toolkit';
import { type DocumentNode, parse } from 'graphql';
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
  const send = createGraphiQLFetcher({ url: url.href, headers, wsClient: socket });
  return {
    // GraphiQL's own document lags behind the text for a moment, in which a subscription would go over HTTP.
    fetcher: (params, options) =>
      send(params, { ...options, documentAST: tryParse(params.query) ?? options?.documentAST }),
    close: () => void socket.dispose(),
  };
}

function tryParse(query: string): DocumentNode | undefined {
  try {
    return parse(query, { noLocation: true });
  } catch {
    // The gateway says better what is wrong with it.
    return undefined;
  }
}
