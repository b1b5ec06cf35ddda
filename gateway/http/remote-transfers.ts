/** The content of transfers where the entities subgraph is a process of its own. */
import { fileNameHeader, internalContentPath, type TransferContent } from '#schema/transfer-content.ts';
import type { RemoteContent } from './remote-content.ts';

export function createRemoteTransfers(remote: RemoteContent): TransferContent {
  const pathOf = (id: string): string => internalContentPath(encodeURIComponent(id));
  return {
    async put({ claims, requestId, transferId, fileName, body }) {
      const headers: Record<string, string> =
        fileName === null ? {} : { [fileNameHeader]: encodeURIComponent(fileName) };
      const path = pathOf(transferId);
      const answer = await remote.call({ method: 'PUT', path, claims, requestId, headers, body });
      return (await answer.body.json()) as Awaited<ReturnType<TransferContent['put']>>;
    },

    async get({ claims, requestId, transferId }) {
      const answer = await remote.call({ method: 'GET', path: pathOf(transferId), claims, requestId });
      return {
        bytes: Number(answer.headers['content-length']),
        contentType: String(answer.headers['content-type']),
        fileName: decodeURIComponent(String(answer.headers[fileNameHeader] ?? 'transfer')),
        body: answer.body,
      };
    },
  };
}
