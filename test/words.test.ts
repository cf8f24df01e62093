import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { repositoryRoot } from './support/repository-root.ts';

interface BannedTerm {
  /** Matched against lower-case text in which `camelCase` and `snake_case` names are separate words. */
  readonly pattern: RegExp;
  readonly use: string;
  /** Standard terms that contain the banned one. */
  readonly except?: RegExp;
}

/** Terms that an expert of the field would not use, and what to write instead. */
const bannedTerms: readonly BannedTerm[] = [
  { pattern: /\bbelie(?:f|fs|ve|ves|ved|ving)\b/, use: 'trust, accept, effective configuration' },
  { pattern: /\bmend(?:s|ed|ing)?\b/, use: 'fix' },
  { pattern: /\bjudg(?:e|es|ed|ing|e?ment)\b/, use: 'validate, evaluate, parse' },
  {
    pattern: /\bfaults?\b|\bfaulty\b/,
    use: 'problem, violation, error',
    except: /\bfault[- ](?:injection|tolerance|proxy)\b/,
  },
  { pattern: /\brivals?\b|\brivalr(?:y|ies)\b|\bclaimants?\b/, use: 'candidate, owner' },
  { pattern: /\bovertaken?\b/, use: 'superseded, conflict' },
  { pattern: /\bdistrust(?:s|ed)?\b/, use: 'untrusted' },
  { pattern: /\bstrangers?\b/, use: 'untrusted' },
  { pattern: /\bhops?\b/, use: 'trusted proxy', except: /\bhop[- ]by[- ]hop\b/ },
  { pattern: /\bverdicts?\b/, use: 'verification', except: /former names: \['verdict header'\]/ },
  {
    pattern: /\bauthorit(?:y|ies)\b/,
    use: 'CA',
    // The last two: a property of ASP.NET Core.
    except:
      /\bcertificate authorit|authority (?:key|info)|: ?authority\b|\bauthority form\b|options\.authority|`authority`/,
  },
  { pattern: /\boctets?\b/, use: 'byte', except: /\boctet string|octetstring\b/ },
  // A property of IdentityServer.
  { pattern: /\bremember(?:s|ed|ing)?\b/, use: 'cached', except: /allow ?remember ?consent/ },
  { pattern: /\bunconfirmed\b/, use: 'stale' },
  { pattern: /\bat hand\b/, use: 'cached, available' },
  { pattern: /\bwhoever\b|\bwhom\b|\bnobody\b|\bsomebody\b|\banybody\b/, use: 'name the role: client, peer, reader' },
  {
    pattern:
      /\b(?:is|are|was|be) no (?:\w+ )?(?:record|certificate|client|file|address|url|list|name|token|number|setting)\b/,
    use: '"is not a …" or "invalid …"',
  },
  { pattern: /\b(?:say|says|said|saying)\b/, use: 'report, log, state, contain' },
  { pattern: /\b(?:tell|tells|told)\b/, use: 'report, notify, distinguish' },
  { pattern: /\blook(?:s|ed|ing)? after\b/, use: 'manage' },
  { pattern: /\btak(?:e|es|en) back\b/, use: 're-enable' },
  { pattern: /\bbegin(?:s)? again\b/, use: 'reconnect, restart' },
  { pattern: /\bunstorable\b|\bunreadable\b/, use: 'invalid, malformed' },
  { pattern: /\bfor (?:people|programs)\b/, use: 'human-readable, machine-readable' },
  { pattern: /\bshut out\b|\bgot through\b/, use: 'blocked, accepted' },
  { pattern: /\b(?:showed|shown)\b/, use: 'presented' },
  { pattern: /\bvouch(?:es|ed)?\b/, use: 'issue, verify' },
  { pattern: /\bwithout a word\b|\bin its words\b|\bin our words\b/, use: 'silently' },
];

/** Separates the words of identifiers, so that one pattern finds `mendOf`, `MEND_OF` and "mend". */
const inWords = (text: string) =>
  text
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .replaceAll('_', ' ')
    .toLowerCase();

function violations(lines: readonly string[], place: (index: number) => string): string[] {
  return lines.flatMap((line, index) =>
    bannedTerms.flatMap(({ pattern, use, except }) => {
      const text = except ? inWords(line).replaceAll(new RegExp(except, 'g'), '') : inWords(line);
      const found = pattern.exec(text);
      return found ? [`${place(index)}: "${found[0]}": write ${use}`] : [];
    }),
  );
}

const filesBelow = (folder: string, extension: string) =>
  readdirSync(join(repositoryRoot, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith(extension))
    .map((name) => join(folder, name))
    .sort();
const linesOf = (file: string) => readFileSync(join(repositoryRoot, file), 'utf8').split('\n');

/** Only what begins with it is checked: `WORDS_IN=src/redis vitest run test/words.test.ts`. */
const only = process.env.WORDS_IN ?? '';
const within = (file: string) => file.startsWith(only);

describe('the field’s own terms are used in', () => {
  test.each([...filesBelow('src', '.ts')].filter(within))('%s', (file) => {
    expect(violations(linesOf(file), (index) => `${file}:${index + 1}`)).toEqual([]);
  });

  const shipped = ['.md', '.yaml', '.tpl', '.txt', '.service'].flatMap((extension) => filesBelow('deploy', extension));
  test.each(shipped.filter(within))('%s', (file) => {
    expect(violations(linesOf(file), (index) => `${file}:${index + 1}`)).toEqual([]);
  });

  test.each([...filesBelow('docs', '.md'), 'README.md', 'SECURITY.md', 'CHANGELOG.md'].filter(within))('%s', (file) => {
    expect(violations(linesOf(file), (index) => `${file}:${index + 1}`)).toEqual([]);
  });

  test.each([...filesBelow('test', '.test.ts'), ...filesBelow('test', '.campaign.ts')].filter(within))(
    'the test names of %s',
    (file) => {
      const names = linesOf(file).map(
        (line) => /^\s*(?:(?:test|describe|it)\b[^'"`]*|\]\)\()(['"`].*)/.exec(line)?.[1] ?? '',
      );
      expect(violations(names, (index) => `${file}:${index + 1}`)).toEqual([]);
    },
  );
});
