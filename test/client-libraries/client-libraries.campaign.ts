import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeWith } from '../support/describe-with.ts';
import { repositoryRoot } from '../support/repository-root.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { type ConnectProxy, startConnectProxy } from './connect-proxy.ts';
import { libraries } from './libraries.ts';
import { runNodeLibraries } from './node.ts';
import { parseResults, type Result } from './results.ts';
import { type RunningScenario, startScenarios } from './scenarios.ts';
import { withResults } from './table.ts';
import { build, installedToolchain, type Language, run, toolchains } from './toolchains.ts';

/**
 * Unmodified client libraries of other languages do discovery, request tokens over mutual TLS through the shipped nginx
 * configuration, and verify them by the JWKS. The table in the documentation must have the same results.
 */
describeWith(['nginx', 'redis-server'], 'client libraries', () => {
  /** Downloading and building everything on a slow machine. */
  const timeout = 3_600_000;
  const results: Result[] = [];
  let proxy: ConnectProxy;
  let scenarios: readonly RunningScenario[] = [];
  let scenarioFile: string;

  beforeAll(async () => {
    proxy = await startConnectProxy();
    scenarios = await startScenarios();
    scenarioFile = join(temporaryDirectory(), 'scenarios.json');
    const programInput = { proxy: proxy.url, scenarios: scenarios.map(({ scenario }) => scenario) };
    writeFileSync(scenarioFile, JSON.stringify(programInput));
  });
  afterAll(async () => {
    for (const { deployment } of scenarios) await deployment.stop();
    proxy?.stop();
  });

  test('openid-client, oauth4webapi and jose run', async () => {
    results.push(...(await runNodeLibraries(scenarios)));
    expectResultsOf('node');
  });

  // Safe: the table is closed, so its keys are the languages.
  for (const language of Object.keys(toolchains) as Language[]) {
    const installed = installedToolchain(language);
    const names = namesOf(language).join(', ');
    if (installed === undefined) {
      console.warn(`skipped: ${names}: ${toolchains[language].program} is not installed`);
      continue;
    }
    test(`${names} run`, { timeout }, async () => {
      await build(language, installed);
      results.push(...parseResults(await run(language, scenarioFile)));
      expectResultsOf(language);
    });
  }
  console.warn('skipped: Duende.IdentityModel, Microsoft.IdentityModel: there is no program for .NET');

  test('docs/client-libraries.md has the results', async () => {
    for (const { library, scenario, step, error } of results) {
      if (error !== undefined) console.info(`${library}, ${scenario}, ${step}: ${error}`);
    }
    const file = join(repositoryRoot, 'docs/client-libraries.md');
    const tried = scenarios.map(({ scenario }) => scenario);
    const page = withResults(readFileSync(file, 'utf8'), tried, results);
    console.info(
      page
        .split('\n')
        .filter((line) => line.startsWith('|'))
        .join('\n'),
    );
    await expect(page, 'npm run test:clients -- --update writes the table').toMatchFileSnapshot(file);
  });

  function namesOf(language: Language | 'node'): string[] {
    return libraries.filter((library) => library.language === language).map(({ name }) => name);
  }

  /** A program that ended early must not pass. */
  function expectResultsOf(language: Language | 'node'): void {
    for (const name of namesOf(language)) {
      const names = results.filter(({ library }) => library === name).map(({ scenario }) => scenario);
      expect([...new Set(names)], name).toEqual(scenarios.map(({ scenario }) => scenario.name));
    }
  }
});
