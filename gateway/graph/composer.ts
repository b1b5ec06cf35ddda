import type { Composition, ServiceSdl } from './compose-strictly.ts';
import type { ComposeRequest } from './compose-worker.ts';
import { createThread } from './thread.ts';

/** Composition refused the subgraphs' SDL. The same SDL fails again, so there is no use in a retry. */
export class CompositionError extends Error {
  override readonly name = 'CompositionError';
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join('\n'));
    this.problems = problems;
  }
}

export interface Composer extends AsyncDisposable {
  /** The supergraph SDL. Rejects with CompositionError, or with another Error when the thread broke. */
  compose(services: readonly ServiceSdl[]): Promise<string>;
}

export function createComposer(): Composer {
  const thread = createThread<ComposeRequest, Composition>({
    module: new URL('./compose-worker.ts', import.meta.url),
    name: 'compose',
  });
  return {
    async compose(services) {
      const composition = await thread.call({ services });
      if ('errors' in composition) throw new CompositionError(composition.errors);
      return composition.supergraphSdl;
    },
    [Symbol.asyncDispose]: () => thread[Symbol.asyncDispose](),
  };
}
