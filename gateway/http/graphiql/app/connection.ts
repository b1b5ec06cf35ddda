import { createGraphiQLFetcher, type Fetcher } from '@graphiql/toolkit';
import { type DocumentNode, Kind, parse } from 'graphql';
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
    fetcher: (params, options) => {
      // What GraphiQL knows of the text lags behind it for a moment, in which a subscription would go over HTTP and an
      // operation by the name of the one before it.
      const document = tryParse(params.query);
      if (!document) return send(params, options);
      const isNamed = document.definitions.some(
        (definition) =>
          definition.kind === Kind.OPERATION_DEFINITION && definition.name?.value === params.operationName,
      );
      const operationName = isNamed ? params.operationName : undefined;
      return send({ ...params, operationName }, { ...options, documentAST: document });
    },
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
