/** The process's log: JSON lines through pino, with every secret that the platform knows of removed. */
import { type Logger, pino } from 'pino';

export type { Logger } from 'pino';

const secrets = [
  'password',
  'adminPassword',
  'accessToken',
  'refreshToken',
  'apiKey',
  'key',
  'token',
  'secret',
  'authorization',
  'cookie',
  'x-tenantry-claims',
];

/** Secrets by name at the top of a log record, and one and two levels below. */
const redacted = secrets.flatMap((name) => [`["${name}"]`, `*["${name}"]`, `*.*["${name}"]`]);

/** `level`: a pino level or "silent". */
export function createLogger(level: string): Logger {
  return pino({
    level,
    base: undefined,
    redact: { paths: redacted, censor: '[redacted]' },
  });
}
