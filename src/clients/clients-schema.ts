import { z } from 'zod';
import { clientRecordSchema } from './client-record.ts';

/** Where the published schema of this version is, as `docs/clients.schema.json` and by `countersign clients schema`. */
const TITLE = 'Clients of Countersign';

/**
 * The JSON Schema of a file of clients (draft 2020-12), for editors: a list, or `{clients: [list]}`. It is made of what
 * validates records; rules that span several fields are checked only by that.
 */
export function clientsSchema(): object {
  const { $schema, $defs = {}, ...record } = z.toJSONSchema(clientRecordSchema, { io: 'input' });
  const list = { type: 'array', items: { $ref: '#/$defs/client' }, description: 'the records of clients' };
  const properties = { $schema: { type: 'string', description: 'where this schema is, for editors' }, clients: list };
  return {
    $schema,
    title: TITLE,
    anyOf: [list, { type: 'object', properties, required: ['clients'], additionalProperties: false }],
    $defs: { client: record, ...$defs },
  };
}
