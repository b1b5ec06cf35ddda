/** What a measured process is started with: the shape's name, its port, and the subgraphs' addresses as JSON. */
import { shapes } from '../shapes/index.ts';
import type { Shape } from '../shapes/shape.ts';

export interface ServerArguments {
  readonly shape: Shape;
  readonly port: number;
  readonly subgraphUrls: Readonly<Record<string, string>>;
}

export function readArguments(): ServerArguments {
  const [name = '', port = '', urls = '{}'] = process.argv.slice(2);
  const shape = shapes.find((candidate) => candidate.name === name);
  if (!shape) throw new Error(`There is no shape "${name}"`);
  return { shape, port: Number(port), subgraphUrls: JSON.parse(urls) as Record<string, string> };
}
