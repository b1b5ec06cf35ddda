/** Our executor behind node:http, subgraphs in process: what the engine costs without the gateway. */
import { createInProcessSubgraphs } from '../shapes/shape.ts';
import { readArguments } from './arguments.ts';
import { anonymousRequest, prepareShape } from './compiled-in-process.ts';
import { serveJson } from './serve-json.ts';

const { shape, port } = readArguments();
const operations = new Map([[shape.query, await prepareShape(shape, createInProcessSubgraphs(shape))]]);
serveJson(port, async ({ query }) => operations.get(query)?.execute(anonymousRequest));
