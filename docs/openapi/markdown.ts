import { openapiDocument } from './document.ts';
import type { Operation, ResponseObject } from './operation.ts';
import { schemas } from './schemas.ts';

interface Property {
  readonly description?: string;
  readonly enum?: readonly string[];
}

/** The same as the OpenAPI document, for reading: the sections of docs/http.md. */
export function httpReference(): string {
  const { tags, paths } = openapiDocument();
  const operations = Object.entries(paths).flatMap(([path, { servers, ...methods }]: [string, PathItem]) =>
    Object.entries(methods).map(([method, operation]) => ({ method, path, operation })),
  );
  return tags
    .map(({ name, description }) => {
      const ofTag = operations.filter(({ operation }) => operation.tags.includes(name));
      return [`## ${name}`, `${description}.`, ...ofTag.map(section)].join('\n\n');
    })
    .join('\n\n');
}

type PathItem = Readonly<Record<string, Operation>> & { readonly servers?: never };

function section({ method, path, operation }: { method: string; path: string; operation: Operation }): string {
  const { summary, description, parameters = [], responses } = operation;
  const named = parameters.map(
    (each) => `| \`${each.name}\` | ${each.in} | ${yesOrNo(each.required)} | ${each.description} |`,
  );
  return [
    `### \`${method.toUpperCase()} ${path}\``,
    `${summary}.${description === undefined ? '' : ` ${description}`}`,
    ...table('| Parameter | In | Required | Meaning |', [...named, ...formParameters(operation)]),
    ...table('| Status | Meaning | Headers |', Object.entries(responses).map(responseRow)),
  ].join('\n\n');
}

function formParameters({ requestBody }: Operation): string[] {
  const name = /#\/components\/schemas\/(\w+)/.exec(JSON.stringify(requestBody) ?? '')?.[1];
  if (name !== 'TokenRequest' && name !== 'PresentedToken') return [];
  const { required, properties } = schemas[name];
  return Object.entries<Property>(properties).map(([parameter, { description = '', enum: values }]) => {
    const choice = values ? `: ${values.map((value) => `\`${value}\``).join(', ')}` : '';
    return `| \`${parameter}\` | form | ${yesOrNo(required.includes(parameter))} | ${description}${choice} |`;
  });
}

function responseRow([status, { description, headers = {} }]: [string, ResponseObject]): string {
  const names = Object.keys(headers).map((name) => `\`${name}\``);
  return `| ${status} | ${description} | ${names.join(', ')} |`;
}

/** Empty if there are no rows. */
function table(heading: string, rows: readonly string[]): string[] {
  const rule = heading.replace(/[^|]+/g, ' --- ');
  return rows.length > 0 ? [[heading, rule, ...rows].join('\n')] : [];
}

function yesOrNo(value: boolean): string {
  return value ? 'yes' : 'no';
}
