import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { decodeJwt } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTokenLoad } from '../rotation/token-load.ts';
import type { RunningProgram } from '../support/child-process.ts';
import { formOf, mtlsHost } from '../support/deployment.ts';
import { describeWith } from '../support/describe-with.ts';
import { eventually } from '../support/eventually.ts';
import type { RunningNginx } from '../support/nginx.ts';
import { requestBytes, sendRaw, sendRequest } from '../support/raw-http.ts';
import { repositoryRoot } from '../support/repository-root.ts';
import { runProgram } from '../support/run-program.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { type InstalledPackage, installPackage } from './install-package.ts';
import { bootSystemd, systemdProblem } from './systemd.ts';
import { prepareHost, type Replica, replicas, type UnitHost } from './unit-host.ts';
import { startUnitProcess } from './unit-process.ts';

const INSTALL_TIMEOUT = 600_000;
const TIMEOUT = 120_000;

let installed: InstalledPackage;
beforeAll(() => {
  installed = installPackage(temporaryDirectory());
}, INSTALL_TIMEOUT);

const units = ['countersign.service', 'countersign@.service'];

describeWith(['systemd-analyze'], 'the units', () => {
  const analyze = (...args: readonly string[]) => runProgram('systemd-analyze', args);
  /** With the command where it is installed here. */
  const runnable = (unit: string) => {
    const shipped = join(installed.folder, 'deploy/systemd', unit);
    const path = join(temporaryDirectory(), unit);
    writeFileSync(path, readFileSync(shipped, 'utf8').replace('/usr/local/bin/countersign', installed.command));
    return path;
  };

  test.each(units)('%s is valid', async (unit) => {
    const { code, stderr } = await analyze('verify', runnable(unit));
    expect([code, stderr]).toEqual([0, '']);
    const invalid = runnable(unit);
    writeFileSync(invalid, readFileSync(invalid, 'utf8').replace('ProtectHome=yes', 'ProtectHoem=yes'));
    expect((await analyze('verify', invalid)).stderr).toContain("'ProtectHoem'");
  });

  test.each(units)('%s is exposed by less than 2.0', async (unit) => {
    const { code, stdout } = await analyze('security', '--offline=true', '--threshold=20', runnable(unit));
    expect([code, stdout.toString()]).toEqual([0, expect.stringMatching(/exposure level for \S+: [01]\.\d OK/)]);
  });

  test('differ only in what depends on the replica', () => {
    const settings = units.map((unit) =>
      readFileSync(join(repositoryRoot, 'deploy/systemd', unit), 'utf8')
        .split('\n')
        .filter(
          (line) => /^[[A-Z]/.test(line) && !/\/?%i|unix:|^(?:Description|RuntimeDirectory|LogsDirectory)=/.test(line),
        ),
    );
    expect(settings[0]).toEqual(settings[1]);
    expect(settings[0]).toContain('ProtectSystem=strict');
  });

  test('are installed by their first lines, with the user whose group has nginx', async () => {
    const root = temporaryDirectory();
    writeFileSync(join(root, 'client-ca.pem'), 'the CA');
    const { code, stderr } = await runProgram('sh', ['-ec', `${DEBIAN}\n${documentedInstallation(root)}`], {
      cwd: root,
    });
    expect([code, stderr]).toEqual([0, expect.stringContaining("Creating user 'countersign'")]);
    const modes = ['client-ca.pem', 'countersign.env', 'redis-url', 'signing-key.pem'].map(
      (file) => statSync(join(root, 'etc/countersign', file)).mode & 0o777,
    );
    expect(modes).toEqual([0o644, 0o644, 0o600, 0o600]);
    for (const unit of units) statSync(join(root, 'etc/systemd/system', unit));
    expect(readFileSync(join(root, 'etc/group'), 'utf8')).toMatch(/^countersign:x:\d+:www-data$/m);
    expect(readFileSync(join(root, 'etc/passwd'), 'utf8')).toMatch(/^countersign:x:\d+:\d+:[^:]+:\/:\S*nologin$/m);
  });
});

/** The commands between the installation of the package and the start, which write to `root` in place of `/`. */
function documentedInstallation(root: string): string {
  const unit = readFileSync(join(installed.folder, 'deploy/systemd/countersign.service'), 'utf8');
  const lines = unit.split('\n').flatMap((line) => /^# {3}(?!npm install|systemctl)(.+)/.exec(line)?.[1] ?? []);
  return lines
    .join('\n')
    .replace('$(npm root --global)/countersign', installed.folder)
    .replaceAll(' /etc/', ` ${root}/etc/`)
    .replace('&& systemd-sysusers', `&& systemd-sysusers --root=${root}`);
}

/** As on Debian, where www-data exists. */
const DEBIAN = `
mkdir -p etc/systemd/system
echo 'www-data:x:33:33::/var/www:/usr/sbin/nologin' > etc/passwd
echo 'www-data:x:33:' > etc/group`;

/** How the replicas are started and stopped. */
interface Supervisor {
  /** Does not wait until the replica is ready. */
  readonly start: (replica: Replica) => Promise<void>;
  /** Resolves when it has stopped. */
  readonly stop: (replica: Replica) => Promise<void>;
  readonly reload: (replica: Replica) => Promise<void>;
  /** What the replica has written. */
  readonly output: (replica: Replica) => string;
  readonly close: () => Promise<void>;
}

async function superviseProcesses(host: UnitHost): Promise<Supervisor> {
  const running = new Map<Replica, RunningProgram>();
  const stop = async (replica: Replica) => expect(await running.get(replica)?.stop()).toBe(0);
  return {
    start: async (replica) => void running.set(replica, startUnitProcess(host, installed.command, replica)),
    stop,
    reload: async (replica) => running.get(replica)?.kill('SIGHUP'),
    output: (replica) => `${running.get(replica)?.stdout()}${running.get(replica)?.stderr()}`,
    close: async () => void (await Promise.all([...running.values()].map((program) => program.stop()))),
  };
}

async function superviseWithSystemd(host: UnitHost): Promise<Supervisor> {
  const systemd = await bootSystemd(host, installed, process.execPath);
  return {
    start: (replica) => systemd.control('start', `countersign@${replica}`),
    stop: (replica) => systemd.control('stop', `countersign@${replica}`),
    reload: (replica) => systemd.control('reload', `countersign@${replica}`),
    output: (replica) => systemd.output(`countersign@${replica}.service`),
    close: systemd.stop,
  };
}

const problem = systemdProblem();
if (problem !== undefined) console.warn(`skipped: the units under systemd: ${problem}`);
const supervisors = [
  ['by a process with the command line of their unit', superviseProcesses],
  ...(problem === undefined ? [['by systemd', superviseWithSystemd] as const] : []),
] as const;

describeWith(['nginx', 'redis-server'], 'two replicas of the installed package', () => {
  describe.each(supervisors)('that are started %s', (_, supervise) => {
    let host: UnitHost;
    let nginx: RunningNginx;
    let supervisor: Supervisor;
    const isReady = (replica: Replica) =>
      fetch(`${host.operationsOf(replica)}/readyz`).then(
        ({ ok }) => ok,
        () => false,
      );
    const start = async (replica: Replica) => {
      await supervisor.start(replica);
      await eventually(
        () => isReady(replica),
        () => supervisor.output(replica),
        30_000,
      );
    };
    const manage = async (...args: readonly string[]) => {
      const { code, stdout, stderr } = await runProgram(installed.command, ['clients', ...args], {
        env: host.settings,
      });
      expect(code, `${stdout}${stderr}`).toBe(0);
    };
    const tls = () => ({ ca: host.serverCa, cert: host.client.pem, key: host.client.privateKeyPem });
    const body = { grant_type: 'client_credentials', client_id: 'billing' };
    const requestToken = () => {
      const bytes = requestBytes({ lines: [`Host: ${mtlsHost}`], body });
      return sendRaw(`https://127.0.0.1:${host.port}`, bytes, { tls: { ...tls(), servername: mtlsHost } });
    };
    /** As nginx asks a replica. */
    const statusOf = async (replica: Replica) => {
      const lines = [
        'Content-Type: application/x-www-form-urlencoded',
        `X-SSL-Client-Cert: ${encodeURIComponent(host.client.pem)}`,
        'X-SSL-Client-Verify: SUCCESS',
      ];
      return (await sendRequest(`unix:${host.socketOf(replica)}`, { lines, body: formOf('billing') })).status;
    };

    beforeAll(async () => {
      host = await prepareHost();
      const record = {
        client_id: 'billing',
        token_endpoint_auth_method: 'tls_client_auth',
        tls_client_auth_san_dns: 'billing.example',
      };
      const file = join(host.root, 'clients.json');
      writeFileSync(file, JSON.stringify([record]));
      await manage('apply', file);
      supervisor = await supervise(host);
      await Promise.all(replicas.map(start));
      nginx = await host.startNginx();
    }, TIMEOUT);
    afterAll(async () => {
      await nginx?.stop();
      await supervisor?.close();
    });

    test('issue a token, which is bound to the certificate', async () => {
      const { status, body: text } = await requestToken();
      expect(status).toBe(200);
      expect(decodeJwt(JSON.parse(text).access_token)).toMatchObject({
        iss: `https://auth.example:${host.port}`,
        client_id: 'billing',
        cnf: { 'x5t#S256': host.client.thumbprint },
      });
      expect(await Promise.all(replicas.map(statusOf))).toEqual([200, 200]);
    });

    test('listen on a socket for their group, and reload', async () => {
      for (const replica of replicas) {
        expect((statSync(host.socketOf(replica)).mode & 0o777).toString(8)).toBe('660');
        await supervisor.reload(replica);
        const output = () => supervisor.output(replica);
        await eventually(() => output().includes('"event":"reloaded"'), output);
      }
    });

    test('reject a disabled client, and accept it when it is enabled again', async () => {
      for (const [command, status] of [
        ['disable', 400],
        ['enable', 200],
      ] as const) {
        await manage(command, 'billing');
        const statuses = () => Promise.all(replicas.map(statusOf));
        await eventually(
          async () => (await statuses()).every((each) => each === status),
          () => `not all replicas respond with ${status} after ${command}`,
        );
        expect((await requestToken()).status).toBe(status);
      }
    });

    test(
      'fail no request during a rolling restart',
      async () => {
        let tokens = 0;
        const onToken = async () => {
          tokens += 1;
        };
        const options = { port: host.port, host: mtlsHost, tls: tls(), body, connections: 4, pause: 5, onToken };
        const load = startTokenLoad(options);
        const more = async (count: number) => {
          const before = tokens;
          await eventually(
            () => tokens >= before + count,
            () => `${tokens - before} tokens`,
          );
        };
        for (const replica of replicas) {
          await more(20);
          await supervisor.stop(replica);
          await more(20);
          await start(replica);
        }
        await more(20);
        await load.stop();
        expect(Object.fromEntries(load.failures)).toEqual({});
      },
      TIMEOUT,
    );
  });
});
