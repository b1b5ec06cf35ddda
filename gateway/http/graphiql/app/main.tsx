/** GraphiQL for the caller's own graph: every request and subscription carries the credentials of the bar on top. */
import 'graphiql/setup-workers/vite';
import 'graphiql/style.css';
import './style.css';
import { GraphiQL } from 'graphiql';
import { useEffect, useMemo, useState } from 'react';
import { createRoot } from 'react-dom/client';
import { connectGraph } from './connection.ts';
import { CredentialsBar } from './credentials-bar.tsx';
import { type Credentials, readCredentials, saveCredentials } from './credentials.ts';

const welcome = `# This is your tenant's own graph. Give a token or an API key above; without one you see the public part.
#
#   Ctrl-Space  completes        Ctrl-Enter  runs        Docs: the book on the left
#
# A subscription (subscription { recordChanged { operation recordId } }) stays open until you stop it.

query WhatIsHere {
  __schema {
    queryType {
      fields {
        name
        description
      }
    }
  }
}
`;

function App() {
  const [credentials, setCredentials] = useState(readCredentials);
  const graph = useMemo(() => connectGraph(new URL('/graphql', location.href), credentials), [credentials]);
  useEffect(() => () => graph.close(), [graph]);

  const use = (next: Credentials) => {
    saveCredentials(next);
    setCredentials(next);
  };
  return (
    <>
      <CredentialsBar credentials={credentials} onChange={use} />
      {/* Another caller, another schema: the key makes GraphiQL ask for it anew. Its tabs are kept in localStorage. */}
      <GraphiQL
        key={JSON.stringify(credentials)}
        fetcher={graph.fetcher}
        defaultQuery={welcome}
        shouldPersistHeaders={false}
        inputValueDeprecation
        schemaDescription
      />
    </>
  );
}

createRoot(document.getElementById('root') as HTMLElement).render(<App />);
