import { pino } from 'pino';

/** What the gateway logs with; a pino logger fits. */
export type Logger = Pick<pino.Logger, 'debug' | 'info' | 'warn' | 'error'>;

/** A JSON logger whose entries never hold a credential. */
export function createLogger(level: string): Logger {
  return pino({
    level,
    base: { service: 'gateway' },
    redact: {
      paths: ['*.authorization', '*.cookie', '*.password', '*.token', '*.secret', 'req.headers', 'variables'],
      censor: '[redacted]',
    },
  });
}
