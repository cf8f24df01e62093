import { documentationUrl } from '../../../documentation.ts';
import { ImportError } from '../draft.ts';

/** The types of IdentityServer's objects, by the property of the JSON that holds a list of them. */
const types = {
  Clients: 'Client',
  ApiScopes: 'ApiScope',
  ApiResources: 'ApiResource',
  IdentityResources: 'IdentityResource',
} as const;

/** The file is C#, in which most projects of Duende's templates keep their clients. */
export class CSharpError extends ImportError {
  /** Lines of C# that write the clients as JSON. */
  readonly lines: readonly string[];

  constructor(lines: readonly string[]) {
    super(
      'is C#, and the import reads JSON: add the lines above to Program.cs of the project, run it once, and import ' +
        `clients.json (${documentationUrl('move-from-identityserver.md')})`,
    );
    this.lines = lines;
  }
}

/** @throws {CSharpError} if the text is C# */
export function rejectCSharp(text: string): void {
  if (!isCSharp(text)) return;
  const members = Object.entries(types).flatMap(([property, type]) => {
    const expression = expressionOf(text, type);
    return expression === undefined ? [] : [`    ${property} = ${expression},`];
  });
  throw new CSharpError([
    'File.WriteAllText("clients.json", System.Text.Json.JsonSerializer.Serialize(new',
    '{',
    ...(members.length > 0 ? members : ['    Clients = Config.Clients,']),
    '}));',
  ]);
}

const MAX_START = 4_096;

/** JSON begins with a brace, a bracket or a comment, and has no such statement before its first value. */
function isCSharp(text: string): boolean {
  const start = text.replace(/^\uFEFF/, '').slice(0, MAX_START);
  return /^\s*(?:(?:global )?using [\w.=\s]+;|namespace [\w.]+\s*[;{]|(?:(?:public|internal|static|sealed|partial) )+class \w)/m.test(
    start,
  );
}

/** The static member of a class that has the objects of a type: `Config.Clients`, or `Config.GetClients()`. */
function expressionOf(text: string, type: string): string | undefined {
  const [, className = 'Config'] = /\bclass (\w+)/.exec(text) ?? [];
  const list = String.raw`(?:[\w.]+<(?:[\w.]+\.)?${type}>|(?:[\w.]+\.)?${type}\[\])`;
  const member = new RegExp(String.raw`\bstatic (?:readonly )?${list}\s+(\w+)\s*(\(\s*\))?`).exec(text);
  return member ? `${className}.${member[1]}${member[2] === undefined ? '' : '()'}` : undefined;
}
