/** What a supergraph's `@authenticated`, `@requiresScopes` and `@policy` are compared with. */
export interface Grants {
  readonly authenticated: boolean;
  readonly scopes: ReadonlySet<string>;
  readonly policies: ReadonlySet<string>;
  /** When the credential ends; null: never. */
  readonly expiresAtMs: number | null;
}

/** Of who showed no credential. */
export const noGrants: Grants = {
  authenticated: false,
  scopes: new Set(),
  policies: new Set(),
  expiresAtMs: null,
};
