import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';

/** For `npm run test:unit`: a temporary directory, and no program. */
export default function setup(project: TestProject): () => void {
  const temporaryRoot = mkdtempSync(join(tmpdir(), 'cs-'));
  project.provide('programs', {});
  project.provide('temporaryRoot', temporaryRoot);
  project.provide('countersign', '');
  project.provide('redisUrl', '');
  return () => rmSync(temporaryRoot, { recursive: true, force: true });
}
