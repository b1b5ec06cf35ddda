/**
 * Hints that a tenant's log has grown. A hint is never the truth: it may be lost, repeated or come for nothing, so whoever
 * listens also polls. It only makes the usual case fast.
 */
export interface WakeUp extends AsyncDisposable {
  /**
   * Says that something of this tenant changed. Never throws and never waits; several calls for one tenant in the same
   * turn of the event loop become one hint.
   */
  publish(tenantId: string): void;
  /** Hears the hints of this process and, where the implementation reaches them, of all others. Returns what ends it. */
  subscribe(listener: (tenantId: string) => void): () => void;
}
