import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { decodeJwt } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { administratorAclRule } from '../support/administrator-acl.ts';
import { repositoryRoot } from '../support/repository-root.ts';
import type { FinishedProgram } from '../support/run-program.ts';
import { serverAclRule } from '../support/server-acl.ts';
import { debianImageWith } from './base-images.ts';
import { type RunningCompose, startCompose } from './compose.ts';
import { buildCountersignImage } from './countersign-image.ts';

/** A first build makes the base image, which takes minutes. */
const BUILD_TIMEOUT = 1_800_000;

const file = readFileSync(join(repositoryRoot, 'deploy/compose.yaml'), 'utf8');
const { services } = parse(file, { merge: true });

describe('deploy/compose.yaml', () => {
  test.each(Object.keys(services))('runs %s with a read-only root, without capabilities and new privileges', (name) => {
    expect(services[name]).toMatchObject({
      read_only: true,
      cap_drop: ['ALL'],
      security_opt: ['no-new-privileges:true'],
    });
    // The container that gives the volumes to their users has no network.
    if (name === 'setup') expect(services[name]).toMatchObject({ network_mode: 'none' });
    else expect(services[name].user).toMatch(/^[1-9]\d*:[1-9]\d*$/);
  });

  test('can be reached on loopback only, at nginx only', () => {
    const published = Object.entries<{ ports?: string[] }>(services).filter(([, { ports }]) => ports);
    expect(published).toEqual([['nginx', expect.objectContaining({ ports: ['127.0.0.1:8443:8443'] })]]);
  });

  test('has the users of Redis that the documentation names', () => {
    const setup = readFileSync(join(repositoryRoot, 'deploy/compose/setup.sh'), 'utf8');
    const users = [...setup.matchAll(/^user ((?:countersign-server|administrator) .*)$/gm)].map(
      ([, rule = '']) => rule,
    );
    const rights = (rule: string) => new Set(rule.split(' ').slice(3));
    const server = rights(serverAclRule('countersign:', 'x'));
    const administrator = rights(administratorAclRule('administrator', 'countersign:', { password: 'x' }));
    administrator.delete('+select'); // Only for another database than 0.
    expect(users.map(rights)).toEqual([server, administrator]);
  });
});

describe('the services of deploy/compose.yaml', () => {
  let running: RunningCompose;
  beforeAll(async () => {
    buildCountersignImage(services.clients.image);
    debianImageWith(services.nginx.image, ['nginx-light', 'curl', 'openssl']);
    debianImageWith(services.redis.image, ['redis-server']);
    running = await startCompose();
  }, BUILD_TIMEOUT);
  afterAll(() => running?.stop());

  const succeed = async (finished: Promise<FinishedProgram>) => {
    const { code, stdout, stderr } = await finished;
    expect(code, `${stdout}${stderr}`).toBe(0);
    return stdout.toString();
  };
  const requestToken = async () => {
    const { code, stdout } = await running.compose('run', '--rm', '-T', '--no-deps', 'token');
    return [code, JSON.parse(stdout.toString())];
  };

  test('issue a token, refuse a disabled client, and serve while one replica is restarted', async () => {
    const { compose, healthy, run } = running;
    // In the order of depends_on, whose conditions podman does not evaluate without systemd.
    await succeed(compose('up', '--detach', '--no-build', 'redis'));
    await healthy('redis');
    await succeed(compose('up', '--detach', '--no-build', 'clients', 'nginx'));
    for (const service of ['countersign-1', 'countersign-2', 'nginx']) await healthy(service);
    expect(await succeed(run('podman', ['logs', 'countersign_clients_1']))).toContain('1 written');

    const [code, { access_token: token }] = await requestToken();
    expect([code, decodeJwt(token)]).toMatchObject([
      0,
      { iss: 'https://auth.localhost:8443', client_id: 'billing', aud: 'https://api.example', scope: 'orders.read' },
    ]);

    await succeed(run('podman', ['stop', 'countersign_countersign-1_1']));
    expect(await requestToken()).toMatchObject([0, { token_type: 'Bearer' }]);
    await succeed(run('podman', ['start', 'countersign_countersign-1_1']));
    await healthy('countersign-1');

    const clients = (...args: string[]) => compose('run', '--rm', '-T', '--no-deps', 'clients', 'clients', ...args);
    await succeed(clients('disable', 'billing'));
    // curl exits with 22 for an HTTP error.
    expect(await requestToken()).toEqual([22, expect.objectContaining({ error: 'invalid_client' })]);
    await succeed(compose('down', '--volumes'));
  }, 300_000);
});
