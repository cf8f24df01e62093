import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { repositoryRoot } from '../support/repository-root.ts';
import { audienceAclRules, crlAclRules, edgeAclRules, keyringAclRules, serverAclRule } from '../support/server-acl.ts';

const page = readFileSync(join(repositoryRoot, 'docs/redis.md'), 'utf8');

test('docs/redis.md documents the ACL of the server that the tests use', () => {
  expect(page).toContain(`\nuser countersign-${serverAclRule('countersign:', '…')}\n`);
});

test('docs/redis.md documents the additional commands of a Cluster that the tests use', () => {
  const withoutCluster = serverAclRule('countersign:', '…').length;
  expect(page).toContain(`A Cluster: \`${serverAclRule('countersign:', '…', true).slice(withoutCluster + 1)}\`.`);
});

test('docs/redis.md documents the additional rules for CRLs that the tests use', () => {
  expect(page).toContain(`are shared through Redis: \`${crlAclRules('countersign:')}\`.`);
});

test('docs/redis.md documents the additional rules for an edge that the tests use', () => {
  expect(page).toContain(`An edge (\`COUNTERSIGN_EDGE_LISTEN\`): \`${edgeAclRules('countersign:')}\`.`);
});

test('docs/redis.md documents the additional rules for resources by audience that the tests use', () => {
  expect(page).toContain(`(\`signing_alg\` or \`introspection\`): \`${audienceAclRules('countersign:')}\`.`);
});

test('docs/redis.md documents the additional rules for a keyring that the tests use', () => {
  expect(page).toContain(`(\`COUNTERSIGN_KEY_ENCRYPTION_KEY_FILE\`): \`${keyringAclRules('countersign:')}\`.`);
});
