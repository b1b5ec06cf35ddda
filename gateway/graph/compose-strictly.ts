import { composeServices } from '@apollo/composition';
import { parse } from 'graphql';

/** A subgraph's part in a composition. */
export interface ServiceSdl {
  readonly name: string;
  readonly sdl: string;
}

export type Composition = { readonly supergraphSdl: string } | { readonly errors: readonly string[] };

/**
 * Differences between subgraphs that composition would settle silently by dropping something. Ours must agree to the
 * letter, so each is a failure.
 */
const fatalHints = new Set(['INCONSISTENT_INPUT_OBJECT_FIELD']);

/** Blocks for 50–300 ms at the size of a tenant's graph. Never throws. */
export function composeStrictly(services: readonly ServiceSdl[]): Composition {
  try {
    const result = composeServices(
      services.map(({ name, sdl }) => ({ name, url: `http://${name}`, typeDefs: parse(sdl) })),
    );
    if (result.errors) return { errors: result.errors.map((error) => error.message) };
    const fatal = result.hints.filter((hint) => fatalHints.has(hint.definition.code));
    if (fatal.length > 0) return { errors: fatal.map((hint) => hint.message) };
    return { supergraphSdl: result.supergraphSdl };
  } catch (error) {
    return { errors: [error instanceof Error ? error.message : String(error)] };
  }
}
