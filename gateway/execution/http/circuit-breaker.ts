export interface CircuitBreakerOptions {
  /** Failures in a row that open it. Default 5. */
  readonly failuresToOpen?: number;
  /** How long nothing is let through before one request tries again. Default 1,000. */
  readonly openMs?: number;
  /** Milliseconds that only grow. */
  readonly now?: () => number;
}

/** Spares a server that is down, and everybody who would wait for it. */
export interface CircuitBreaker {
  /** Whether a request may go out now. True makes the caller owe `succeeded`, `failed` or `abandoned`. */
  admit(): boolean;
  succeeded(): void;
  failed(): void;
  /** The caller gave up before it could tell. */
  abandoned(): void;
}

/** Closed: all pass. Open: none. After a while one passes as a trial; what it finds closes or opens it again. */
export function createCircuitBreaker({
  failuresToOpen = 5,
  openMs = 1_000,
  now = performance.now.bind(performance),
}: CircuitBreakerOptions = {}): CircuitBreaker {
  let failuresInRow = 0;
  let openUntil = 0;
  let isTrialOut = false;

  return {
    admit() {
      if (failuresInRow < failuresToOpen) return true;
      if (isTrialOut || now() < openUntil) return false;
      isTrialOut = true;
      return true;
    },
    succeeded() {
      failuresInRow = 0;
      isTrialOut = false;
    },
    failed() {
      failuresInRow++;
      isTrialOut = false;
      // Also of those that were out when it opened: the wait counts from the last thing known.
      if (failuresInRow >= failuresToOpen) openUntil = now() + openMs;
    },
    abandoned() {
      isTrialOut = false;
    },
  };
}
