/** A process that starts the embedded PostgreSQL on the folder in its argument, prints where it is, and keeps it. */
import { startEmbeddedPostgres } from '#prisma/embedded.ts';

const server = await startEmbeddedPostgres({ dataFolder: process.argv[2] as string });
process.stdout.write(`${server.url}\n`);
process.once('SIGTERM', () => void server.close());
