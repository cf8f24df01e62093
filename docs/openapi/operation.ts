import type { schemas } from './schemas.ts';

/** An operation of the OpenAPI document (OpenAPI 3.1 §4.8.10), as far as the operations of Countersign need it. */
export interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly description?: string;
  readonly tags: readonly [string];
  readonly security?: readonly object[];
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: object;
  readonly responses: Readonly<Record<string, ResponseObject>>;
}

interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'header';
  readonly required: boolean;
  readonly description: string;
  readonly schema: object;
}

export interface ResponseObject {
  readonly description: string;
  readonly headers?: Readonly<Record<string, Header>>;
  readonly content?: Readonly<Record<string, { readonly schema: object }>>;
}

interface Header {
  readonly description: string;
  readonly schema: object;
}

export type SchemaName = keyof typeof schemas;

export function reference(name: SchemaName) {
  return { $ref: `#/components/schemas/${name}` };
}

export function header(description: string, more: object = {}): Header {
  return { description, schema: { type: 'string', ...more } };
}

/** A response that must not be cached (RFC 6749 §5.1). */
export const noStoreHeaders = { 'Cache-Control': header('Always no-store', { const: 'no-store' }) };

export function jsonResponse(
  description: string,
  name: SchemaName,
  headers: ResponseObject['headers'] = noStoreHeaders,
  type = 'application/json',
): ResponseObject {
  return { description, headers, content: { [type]: { schema: reference(name) } } };
}

export function textResponse(description: string): ResponseObject {
  return { description, content: { 'text/plain': { schema: { type: 'string' } } } };
}
