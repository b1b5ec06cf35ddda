/** Every code that an answer may carry in `extensions.code`, beside those of Apollo Server itself. */
export const errorCodes = [
  'BAD_USER_INPUT',
  'UNAUTHENTICATED',
  'FORBIDDEN',
  'NOT_FOUND',
  'CONFLICT',
  'VERSION_CONFLICT',
  'TENANT_REQUIRED',
  'TENANT_NOT_FOUND',
  'TENANT_SUSPENDED',
  'RATE_LIMITED',
  'QUOTA_EXCEEDED',
  'QUERY_TOO_COMPLEX',
  'CURSOR_EXPIRED',
  'SUBSCRIBER_TOO_SLOW',
  'SUBGRAPH_UNAVAILABLE',
  'GATEWAY_TIMEOUT',
  'GRAPHQL_PARSE_FAILED',
  'GRAPHQL_VALIDATION_FAILED',
  'INTERNAL_SERVER_ERROR',
] as const;

export type ErrorCode = (typeof errorCodes)[number];

/** One broken rule of one input field: `field` is its path ("fields.0.name"), `rule` the rule's name ("required", "pattern"). */
export interface FieldError {
  field: string;
  rule: string;
  message: string;
}

export interface DomainErrorOptions {
  /** Broken input, for `extensions.fields`. */
  fields?: FieldError[];
  /** Further public facts, merged into `extensions` (for example `{ currentVersion: 4 }`). */
  details?: Record<string, unknown>;
  cause?: unknown;
}

/** An error whose message and code are meant for the caller. Anything else that is thrown is masked and logged. */
export class DomainError extends Error {
  override readonly name = 'DomainError';
  readonly code: ErrorCode;
  readonly fields: FieldError[] | undefined;
  readonly details: Record<string, unknown> | undefined;

  constructor(code: ErrorCode, message: string, options: DomainErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.fields = options.fields;
    this.details = options.details;
  }

  /** What the answer's `extensions` hold. */
  get extensions(): Record<string, unknown> {
    return { code: this.code, ...(this.fields ? { fields: this.fields } : {}), ...this.details };
  }
}

/** A `BAD_USER_INPUT` for one field; several are reported at once with `invalidInput`. */
export function invalidField(field: string, rule: string, message: string): DomainError {
  return invalidInput([{ field, rule, message }]);
}

/** A `BAD_USER_INPUT` that lists every broken rule. */
export function invalidInput(fields: FieldError[]): DomainError {
  return new DomainError('BAD_USER_INPUT', fields.map((field) => field.message).join('; '), { fields });
}
