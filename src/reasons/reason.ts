/** Why a request is rejected, as the operator reads it in `countersign rejections` and in docs/rejections.md. */
export interface Reason {
  /** What the server found: one sentence. */
  readonly meaning: string;
  /** What usually leads to it. */
  readonly cause: string;
  /** What to change, and where. */
  readonly fix: string;
  /** The OAuth error that the client gets, an `ErrorCode`. Undefined for what only happens at the edge or to a token. */
  readonly error?: string;
  /** A more exact HTTP status than that of `error`. */
  readonly status?: number;
  /** The `X-Countersign-Error` of a check, a `DenialCode`, unless it follows from `error`. */
  readonly denial?: string;
  /** `false`: the request reaches no decision, so it has no event in the audit log. */
  readonly isAudited?: false;
}

/** One area of the table: the reasons that its rules give, by code. */
export type ReasonTable = Readonly<Record<string, Reason>>;
