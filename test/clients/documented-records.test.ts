import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Diagnostic } from '../../src/clients/diagnostics.ts';
import { parseRecords } from '../../src/clients/files/parse-records.ts';
import { parseClient } from '../../src/clients/parse-client.ts';
import { parseResource } from '../../src/resources/parse-resource.ts';
import { selfSigned } from '../support/certificates.ts';
import { withSha1 } from '../support/policy.ts';
import { repositoryRoot } from '../support/repository-root.ts';

const { pem } = selfSigned();
/** What the documentation abbreviates, in full. */
const abbreviations: Readonly<Record<string, string>> = {
  '5E:2B:…:91': `5E${':2B'.repeat(30)}:91`,
  '        -----BEGIN CERTIFICATE-----\n        …\n': pem.replaceAll(/^(?=.)/gm, '        '),
};
const pages = [
  'README.md',
  ...readdirSync(join(repositoryRoot, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => join('docs', name)),
];
const examples = pages.flatMap((page) => {
  const text = readFileSync(join(repositoryRoot, page), 'utf8');
  const blocks = [...text.matchAll(/^```ya?ml\n([\s\S]*?)^```$/gm)].map(([, block = '']) => block);
  return blocks.filter((block) => /^[- ]+(?:client_id|binding):/m.test(block)).map((block) => ({ page, block }));
});

const policy = { ...withSha1, allowUnboundEdgeTokens: true };

function problemsOfClient(value: unknown): readonly Diagnostic[] {
  const result = parseClient(value, policy, 0);
  return result.ok ? result.warnings : result.errors;
}

function problemsOfResource(value: unknown): readonly Diagnostic[] {
  const result = parseResource(value, policy);
  return result.ok ? [] : result.errors;
}

describe('the server accepts every record of the documentation:', () => {
  test('there are some', () => {
    expect(examples.length).toBeGreaterThanOrEqual(4);
  });

  test.each(examples)('$page', ({ block }) => {
    const text = Object.entries(abbreviations).reduce((whole, [short, long]) => whole.replaceAll(short, long), block);
    const problems = parseRecords('example.yaml', text).records.flatMap(({ type, value }) =>
      type === 'client' ? problemsOfClient(value) : problemsOfResource(value),
    );
    expect(problems.filter(({ message }) => !message.includes('SHA-1'))).toEqual([]);
  });
});
