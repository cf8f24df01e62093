import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { repositoryRoot } from '../support/repository-root.ts';
import { serverAclRule } from '../support/server-acl.ts';

const page = readFileSync(join(repositoryRoot, 'docs/redis.md'), 'utf8');

test('the user of the servers in docs/redis.md is the one that the tests use', () => {
  expect(page).toContain(`\nuser countersign-${serverAclRule('countersign:', '…')}\n`);
});

test('so is what a Cluster needs beside', () => {
  const usual = serverAclRule('countersign:', '…').length;
  expect(page).toContain(`A Cluster: \`${serverAclRule('countersign:', '…', true).slice(usual + 1)}\`.`);
});
