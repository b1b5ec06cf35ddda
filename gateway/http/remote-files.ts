/** The content of FILE fields where the entities subgraph is a process of its own. */
import {
  type FileContent,
  type FileFacts,
  internalFileBytesPath,
  internalFilePath,
} from '#schema/file-content.ts';
import type { RemoteContent } from './remote-content.ts';

export function createRemoteFiles(remote: RemoteContent): FileContent {
  return {
    async put({ claims, requestId, fileId, body }) {
      const path = internalFilePath(encodeURIComponent(fileId));
      const answer = await remote.call({ method: 'PUT', path, claims, requestId, body });
      return (await answer.body.json()) as FileFacts;
    },
    async find({ claims, requestId, fileId }) {
      const path = internalFilePath(encodeURIComponent(fileId));
      const answer = await remote.call({ method: 'GET', path, claims, requestId });
      return (await answer.body.json()) as FileFacts;
    },
    async read({ claims, requestId, fileId, range }) {
      const path = internalFileBytesPath(encodeURIComponent(fileId));
      const headers: Record<string, string> = range ? { range: `bytes=${range.first}-${range.last}` } : {};
      return (await remote.call({ method: 'GET', path, claims, requestId, headers })).body;
    },
  };
}
