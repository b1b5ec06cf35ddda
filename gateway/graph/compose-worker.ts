/** The thread that composes: 50–300 ms of CPU for a tenant's graph that requests must not wait behind. */
import { composeStrictly, type ServiceSdl } from './compose-strictly.ts';
import { serveThread } from './thread-service.ts';

export interface ComposeRequest {
  readonly services: readonly ServiceSdl[];
}

serveThread(({ services }: ComposeRequest) => composeStrictly(services));
