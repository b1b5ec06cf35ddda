/** The thread that composes: 50–300 ms of CPU for a tenant's graph that requests must not wait behind. */
import { parentPort } from 'node:worker_threads';
import { composeServices } from '@apollo/composition';
import { parse } from 'graphql';

export interface ComposeRequest {
  readonly id: number;
  readonly services: readonly { readonly name: string; readonly sdl: string }[];
}

export type ComposeAnswer =
  | { readonly id: number; readonly supergraphSdl: string }
  | { readonly id: number; readonly errors: readonly string[] };

/**
 * Differences between subgraphs that composition would settle silently by dropping something. Ours must agree to the
 * letter, so each is a failure.
 */
const fatalHints = new Set(['INCONSISTENT_INPUT_OBJECT_FIELD']);

function compose({ id, services }: ComposeRequest): ComposeAnswer {
  try {
    const result = composeServices(
      services.map(({ name, sdl }) => ({ name, url: `http://${name}`, typeDefs: parse(sdl) })),
    );
    if (result.errors) return { id, errors: result.errors.map((error) => error.message) };
    const fatal = result.hints.filter((hint) => fatalHints.has(hint.definition.code));
    if (fatal.length > 0) return { id, errors: fatal.map((hint) => hint.message) };
    return { id, supergraphSdl: result.supergraphSdl };
  } catch (error) {
    return { id, errors: [error instanceof Error ? error.message : String(error)] };
  }
}

parentPort?.on('message', (request: ComposeRequest) => parentPort?.postMessage(compose(request)));
