/** The limit: a server that sends the same JSON, made from objects for each request, and does nothing else. */
import { createInProcessSubgraphs } from '../shapes/shape.ts';
import { readArguments } from './arguments.ts';
import { answerOnce } from './compiled-in-process.ts';
import { serveJson } from './serve-json.ts';

const { shape, port } = readArguments();
const answer = await answerOnce(shape, createInProcessSubgraphs(shape));
serveJson(port, async () => answer);
