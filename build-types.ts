/** What of JSON Schema `docs/clients.schema.json` uses, without what only restricts values further. */
interface Schema {
  readonly $ref?: string;
  readonly type?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Schema[];
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: Schema | false;
  readonly description?: string;
  readonly default?: unknown;
}

/** The definitions of the schema, by the names of their types. */
const names: Readonly<Record<string, string>> = {
  client: 'ClientRecord',
  resource: 'ResourceRecord',
  __schema0: 'JsonValue',
};

const HEADER = `/** The records of clients and resources, as files contain them. The package exports types only: run its command. */
`;

const RECORDS = `/** The content of a file: at least one of the lists. */
export interface Records {
  readonly clients?: readonly ClientRecord[];
  readonly resources?: readonly ResourceRecord[];
}
`;

/**
 * Type declarations for programs that write records: one type for each definition of the schema.
 *
 * @throws {Error} if the schema has a definition without a name here
 */
export function recordDeclarations({ $defs }: { readonly $defs: Readonly<Record<string, Schema>> }): string {
  const types = Object.entries($defs).map(([name, schema]) => {
    const isRecord = schema.properties !== undefined;
    return isRecord
      ? `export interface ${typeNameOf(name)} ${typeOf(schema, '')}\n`
      : `export type ${typeNameOf(name)} = ${typeOf(schema, '')};\n`;
  });
  return [HEADER, RECORDS, ...types].join('\n');
}

function typeNameOf(definition: string): string {
  const name = names[definition];
  if (name === undefined) throw new Error(`docs/clients.schema.json defines ${definition}, which has no type name`);
  return name;
}

function typeOf(schema: Schema, indent: string): string {
  if (schema.$ref !== undefined) return typeNameOf(schema.$ref.replace('#/$defs/', ''));
  if ('const' in schema) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(' | ');
  if (schema.properties) return objectOf(schema, indent);
  if (schema.anyOf) return [...new Set(schema.anyOf.map((each) => typeOf(each, indent)))].join(' | ');
  switch (schema.type) {
    case 'array':
      return `readonly (${typeOf(schema.items ?? {}, indent)})[]`;
    case 'object':
      return `{ readonly [name: string]: ${typeOf(schema.additionalProperties || {}, indent)} }`;
    case 'integer':
      return 'number';
    default:
      return schema.type ?? 'unknown';
  }
}

function objectOf({ properties = {}, required = [], additionalProperties }: Schema, indent: string): string {
  const inner = `${indent}  `;
  const fields = Object.entries(properties).map(([name, schema]) => {
    const key = /^\w+$/.test(name) ? name : JSON.stringify(name);
    const isOptional = required.includes(name) ? '' : '?';
    return `${comment(schema, inner)}${inner}readonly ${key}${isOptional}: ${typeOf(schema, inner)};\n`;
  });
  const others = additionalProperties ? [`${inner}readonly [name: string]: unknown;\n`] : [];
  return `{\n${[...fields, ...others].join('')}${indent}}`;
}

function comment({ description, default: value }: Schema, indent: string): string {
  const text = [description, ...(value === undefined ? [] : [`default: ${JSON.stringify(value)}`])].join('; ');
  return text === '' ? '' : `${indent}/** ${text.replaceAll('*/', '*\\/')} */\n`;
}
