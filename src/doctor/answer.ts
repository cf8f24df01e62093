import type { Failure } from './connection.ts';

/** What came back for a request. */
export type Answer = Response | Failure;

interface Response {
  readonly kind: 'answered';
  readonly status: number;
  /** `error` of RFC 6749 §5.2, where the body has one. */
  readonly error: string | undefined;
  /** `error_description` of the same. */
  readonly description: string | undefined;
  /** The names of its fields, in lower case. */
  readonly fields: readonly string[];
}

/** Of a body it matters only which error it tells, and how: Countersign tells one, and a proxy that imitates it. */
export function answered(status: number, fields: readonly string[], body: string): Answer {
  const [, error] = /"error"\s*:\s*"([a-z_]{1,64})"/.exec(body) ?? [];
  const [, description] = /"error_description"\s*:\s*"([^"\\]{1,256})"/.exec(body) ?? [];
  return { kind: 'answered', status, error, description, fields };
}

/** In a few words, for people. */
export function describeAnswer(answer: Answer): string {
  if (answer.kind !== 'answered') return answer.detail;
  return `HTTP ${answer.status}${answer.error === undefined ? '' : ` ${answer.error}`}`;
}
