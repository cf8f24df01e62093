import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { selfSigned } from '../support/certificates.ts';
import { receivedValues } from '../support/demo-upstream.ts';
import { describeWith } from '../support/describe-with.ts';
import { withoutCertificate } from '../support/doctor.ts';
import {
  probeEdgeDeployment,
  runEdgeDoctor,
  startDocumentedTestRoute,
  startProbedEdge,
} from '../support/edge-doctor.ts';
import { apiHost, type EdgeProxy, type EdgeProxyName, edgeProxies } from '../support/edge-proxies.ts';
import { edgeRecords, withRecord } from '../support/edge-records.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

/** Safe: the table is closed, so its keys are the names. */
for (const name of Object.keys(edgeProxies) as EdgeProxyName[]) {
  const { program, forwardsTrailers }: EdgeProxy = edgeProxies[name];
  describeWith([program], `countersign doctor --edge with ${name} as shipped`, () => {
    test('concludes secure', async () => {
      const { code, report } = await probeEdgeDeployment(await startProbedEdge(name));
      const trailers = forwardsTrailers ? [expect.stringMatching(/^the proxy forwards trailers/)] : [];
      expect([report.problems, report.notes]).toEqual([[], trailers]);
      expect([code, report.conclusion]).toEqual([0, 'secure']);
      // A doctor whose forgeries never arrive proves nothing.
      const identified = report.forgeries.filter(({ outcome }) => outcome === 'identified');
      expect(identified.length).toBeGreaterThan(20);
      expect(new Set(identified.map(({ certificate }) => certificate))).toEqual(new Set(['own']));
    });
  });
}

describe.each(['nginx', 'envoy'] as const)('countersign doctor --edge with %s', (name) => {
  describeWith([edgeProxies[name].program], 'at the documented test route', () => {
    test('concludes secure, prints no token, and leaves the API alone', async () => {
      const probed = await startDocumentedTestRoute(name);
      const { deployment } = probed;
      const url = `https://${apiHost}/countersign-doctor/`;
      const { code, stdout } = await runEdgeDoctor(probed, { url });
      expect([code, stdout]).toEqual([
        0,
        expect.stringMatching(/\nSecure: your certificate was accepted, and none of/),
      ]);
      expect(stdout).toMatch(/Authorization +\d+ bytes +a token of this server, bound to a certificate\n/i);
      expect(stdout).toMatch(/X-Countersign-Client-Id +5 bytes +alpha\n/i);
      expect(stdout).toMatch(/none +HTTP\/1.1 +HTTP 401/);
      const { stdout: json } = await probeEdgeDeployment(probed, { url });
      expect(stdout + json).not.toMatch(/eyJ|Bearer/);
      expect(deployment.upstream.requests).toEqual([]);
      const { received } = await deployment.exchange({ path: '/orders/' }, deployment.certificateOf('alpha'));
      expect(received.map((request) => receivedValues(request, 'X-Countersign-Client-Id'))).toEqual([['alpha']]);
    });
  });
});

describeWith(['nginx'], 'countersign doctor --edge with a token', () => {
  test.each(['original', 'minted', 'none'])('concludes secure at a route that forwards %s', async (forward) => {
    const probed = await startProbedEdge('nginx');
    const { deployment } = probed;
    await deployment.apply(withRecord(edgeRecords, 'reports', { forward }));
    const file = join(temporaryDirectory(), 'token');
    const token = await deployment.requestToken('alpha', 'https://reports.example');
    writeFileSync(file, `${token}\n`);
    const { code, stdout, report } = await probeEdgeDeployment(probed, {
      url: `https://${apiHost}/reports/`,
      token: file,
    });
    const notes = forward === 'none' ? [expect.stringMatching(/^no token reached the upstream.*"forward: none"/)] : [];
    expect([code, report.problems, report.notes]).toEqual([0, [], notes]);
    expect(report.baseline[0]?.arrival?.token.kind).toBe(forward === 'none' ? 'absent' : 'valid');
    expect(stdout).not.toContain(token.slice(0, 20));
  });
});

describeWith(['nginx'], 'countersign doctor --edge concludes incomplete', () => {
  test('without a certificate', async () => {
    const { code, report } = await probeEdgeDeployment(await startProbedEdge('nginx'), withoutCertificate);
    expect([code, report.conclusion, report.problems]).toEqual([1, 'incomplete', []]);
    expect(report.notes).toContainEqual(
      expect.stringMatching(/did not reach the upstream \(HTTP 401.*--cert and --key/),
    );
  });

  test('with a certificate that the edge denies, and names its reason', async () => {
    const certificate = selfSigned().writeTo(temporaryDirectory(), 'c');
    const { code, report } = await probeEdgeDeployment(await startProbedEdge('nginx'), certificate);
    expect([code, report.conclusion]).toEqual([1, 'incomplete']);
    expect(report.notes).toContainEqual(
      expect.stringMatching(/^a request with your certificate did not reach the upstream \(HTTP 401/),
    );
  });

  test('with a proxy that the edge does not trust', async () => {
    const secret = 's'.repeat(64);
    const env = { COUNTERSIGN_PROXY_SECRET: secret };
    const { code, stdout, report } = await probeEdgeDeployment(await startProbedEdge('nginx', [], { env }));
    expect([code, report.problems]).toEqual([1, []]);
    expect(report.notes).toContainEqual(
      expect.stringMatching(/the edge did not accept it: .*the proxy sent no x-countersign-proxy-secret/),
    );
    expect(stdout).not.toContain(secret);
  });

  test('if there is no edge', async () => {
    const without = {
      env: { COUNTERSIGN_EDGE_LISTEN: 'off', COUNTERSIGN_EDGE_TERMINATOR: '' },
      edge: 'http://127.0.0.1:1',
    };
    const { code, report } = await probeEdgeDeployment(await startProbedEdge('nginx', [], without));
    expect([code, report]).toEqual([
      1,
      { conclusion: 'error', problems: [expect.stringMatching(/has no edge listener: set COUNTERSIGN_EDGE_LISTEN$/)] },
    ]);
  });

  test('at a URL with another upstream', async () => {
    const probed = await startDocumentedTestRoute('nginx');
    const { code, report } = await probeEdgeDeployment(probed);
    expect([code, report.conclusion]).toEqual([1, 'incomplete']);
    expect(report.notes).toContainEqual(
      expect.stringMatching(
        /^a request with your certificate did not reach the upstream \(HTTP 200\): let the upstream of the URL be the oper/,
      ),
    );
  });

  test('behind a proxy that caches checks', async () => {
    const zone = `proxy_cache_path ${temporaryDirectory()} keys_zone=checks:1m;`;
    const probed = await startProbedEdge('nginx', [
      ['upstream countersign_edge {', `${zone}\nupstream countersign_edge {`],
      ['proxy_cache off;', 'proxy_cache checks; proxy_cache_valid any 1h; proxy_cache_key $ssl_client_fingerprint;'],
    ]);
    const { code, report } = await probeEdgeDeployment(probed);
    expect([code, report.problems]).toEqual([1, []]);
    expect(report.notes).toEqual([
      expect.stringMatching(/^more requests with your certificate .* the proxy caches checks/),
    ]);
  });
});
