import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { repositoryRoot } from './support/repository-root.ts';

const read = (path: string) => readFileSync(join(repositoryRoot, path), 'utf8');
const scripts: Readonly<Record<string, string>> = JSON.parse(read('package.json')).scripts;
const campaigns = globSync('test/**/*.campaign.ts', { cwd: repositoryRoot }).toSorted();

/** The campaigns that none of these scripts runs. */
function missedBy(names: readonly string[]): readonly string[] {
  const filters = names.flatMap((name) => scripts[name]?.split('test/campaign.config.ts ')[1]?.split(' ') ?? []);
  return campaigns.filter((file) => !filters.some((filter) => file.includes(filter)));
}

test('the workflow runs every campaign except that of a cluster', () => {
  const names = [...read('.github/workflows/campaigns.yml').matchAll(/- (test:\w+)$/gm)].map(([, name = '']) => name);
  expect(names.filter((name) => !(name in scripts))).toEqual([]);
  expect(missedBy(names)).toEqual(['test/kubernetes/kubernetes.campaign.ts']);
});

test('.ci/run runs every campaign except those of client libraries and of refusing commands', () => {
  const names = [...read('.ci/run').matchAll(/^ *npm run (test:\w+)$/gm)].map(([, name = '']) => name);
  expect(missedBy(names)).toEqual([
    'test/client-libraries/client-libraries.campaign.ts',
    'test/client-libraries/verify-tokens.campaign.ts',
    'test/redis/refusals/refusals.campaign.ts',
  ]);
});
