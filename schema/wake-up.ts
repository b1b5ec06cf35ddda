/**
 * Hints between processes that share a Redis: that something of a tenant changed. One PUBLISH tells of several tenants:
 * "<the sender's own id> <tenantId> <tenantId> …".
 */
export const wakeUpChannel = 'tenantry:wake-up';

/** `origin` lets a sender know its own messages. */
export function writeWakeUp(origin: string, tenantIds: readonly string[]): string {
  return [origin, ...tenantIds].join(' ');
}

export function readWakeUp(message: string): {
  readonly origin: string;
  readonly tenantIds: readonly string[];
} {
  const [origin = '', ...tenantIds] = message.split(' ');
  return { origin, tenantIds };
}
