import { expect, test } from 'vitest';
import { describeWith } from '../support/describe-with.ts';
import { probeEdgeDeployment, runEdgeDoctor, startProbedEdge } from '../support/edge-doctor.ts';
import type { EdgeProxyName } from '../support/edge-proxies.ts';

/** A mistake in a shipped configuration, and the problem that it causes. */
interface Sabotage {
  readonly title: string;
  readonly replace: readonly (readonly [from: string, to: string])[];
  /** Where the proxy expects the edge, if not where it is. */
  readonly edge?: string;
  /** Each is one of the problems. */
  readonly problems: readonly RegExp[];
}

const ordersRule = `                typed_per_filter_config:
                  envoy.filters.http.ext_authz:
                    "@type": type.googleapis.com/envoy.extensions.filters.http.ext_authz.v3.ExtAuthzPerRoute
                    check_settings:
                      http_service:
                        path_override: /edge/mint/orders
                        server_uri: *edge
                        retry_policy: *retries
                        authorization_request: *request
                        authorization_response: *response
`;
const withoutLast = (text: string) => text.replace(/.*\n$/, '');

const sabotages: Readonly<Record<Extract<EdgeProxyName, 'nginx' | 'envoy'>, readonly Sabotage[]>> = {
  envoy: [
    {
      title: 'a rule without authorization_response',
      replace: [[ordersRule, withoutLast(ordersRule)]],
      problems: [
        /^x-countersign-client-id, .*x-countersign-expires did not reach the upstream with your certificate\. Fix: .*authorization_response/,
        /^an Authorization that is not a token of this server reached the upstream .*Fix: .*exact: authorization/,
      ],
    },
    {
      title: 'the removal of the exact prefix only',
      replace: [
        ['safe_regex: { regex: "x.countersign.*" }', 'prefix: x-countersign-'],
        ['headers_with_underscores_action: DROP_HEADER', 'headers_with_underscores_action: ALLOW'],
      ],
      problems: [
        /^x_countersign_client_id, .* of the client reached the upstream \(the identity headers with underscores.*safe_regex/,
        /^x\.countersign\.client\.id, .* of the client reached the upstream \(the identity headers with dots/,
      ],
    },
    {
      title: 'a route without a check',
      replace: [[ordersRule, '                typed_per_filter_config: *unchecked\n']],
      problems: [/^a request without a certificate reached the upstream .*Fix: .*check_settings for ext_authz/],
    },
    {
      title: 'admission while the edge is unavailable',
      replace: [['failure_mode_allow: false', 'failure_mode_allow: true']],
      edge: 'http://127.0.0.1:1',
      problems: [/^a request without a certificate reached the upstream .*Fix: .*failure_mode_allow: false/],
    },
    {
      title: 'the removal of what the check has set',
      replace: [
        [
          'ignore_port_in_host_matching: true',
          'ignore_port_in_host_matching: true\n            request_headers_to_remove: [x-countersign-subject]',
        ],
      ],
      problems: [
        /^x-countersign-subject did not reach the upstream with your certificate\. Fix: .*request_headers_to_remove/,
      ],
    },
  ],
  nginx: [
    {
      title: '"satisfy any" beside an address',
      replace: [['satisfy all;', 'satisfy any; allow 127.0.0.1;']],
      problems: [/^a request without a certificate reached the upstream .*Fix: .*"satisfy all"/],
    },
    {
      title: 'one identity header that is not replaced',
      replace: [['proxy_set_header X-Countersign-Scope $countersign_scope;', '']],
      problems: [
        /^x-countersign-scope did not reach the upstream with your certificate\. Fix: .*edge-protect\.conf/,
        /^X-Countersign-Scope of the client reached the upstream \(the identity headers as the proxy writes it; .*Fix: /,
      ],
    },
    {
      title: 'a location with a header of its own, and without the include',
      replace: [
        [
          'set $countersign_check mint/orders;\n        include /etc/nginx/countersign/edge-protect.conf;',
          'proxy_set_header X-Other 1;',
        ],
      ],
      problems: [
        /^a request without a certificate reached the upstream /,
        /^X-Countersign-Client-Id, .* of the client reached/,
      ],
    },
    {
      title: 'a check that another location answers',
      replace: [['include /etc/nginx/countersign/edge-check.conf;', 'location / { return 200; }']],
      problems: [/^a request without a certificate reached the upstream /],
    },
    {
      title: 'a check that the server rewrites',
      replace: [
        [
          'include /etc/nginx/countersign/edge-check.conf;',
          'include /etc/nginx/countersign/edge-check.conf; rewrite ^/countersign /page; location = /page { return 200; }',
        ],
      ],
      problems: [/^a request without a certificate reached the upstream /],
    },
    {
      title: 'a check with the headers of the client',
      replace: [
        ['proxy_pass_request_headers off;', ''],
        [
          'proxy_set_header X-SSL-Client-Cert $ssl_client_escaped_cert;\nproxy_set_header X-SSL-Client-Verify $ssl_client_verify;\nproxy_set_header Early-Data',
          'proxy_set_header Early-Data',
        ],
      ],
      problems: [/^the edge accepted a forged certificate/],
    },
  ],
};

for (const name of ['envoy', 'nginx'] as const) {
  describeWith([name], `countersign doctor --edge with ${name} finds`, () => {
    test.each(sabotages[name])('$title', async ({ replace, edge, problems }) => {
      const { code, report } = await probeEdgeDeployment(await startProbedEdge(name, replace, edge ? { edge } : {}));
      for (const problem of problems) expect(report.problems).toContainEqual(expect.stringMatching(problem));
      expect([code, report.conclusion]).toEqual([3, 'vulnerable']);
    });
  });
}

describeWith(['nginx'], 'countersign doctor --edge prints', () => {
  test('what arrived, and what a client without a certificate reached', async () => {
    const { code, stdout } = await runEdgeDoctor(
      await startProbedEdge('nginx', [['satisfy all;', 'satisfy any; allow 127.0.0.1;']]),
    );
    expect(code).toBe(3);
    expect(stdout).toMatch(/none +HTTP\/1.1 +REACHED the upstream \(HTTP 204\)/);
    expect(stdout).toMatch(/X-SSL-Client-Cert +\d+ bytes +your certificate, as nginx writes it/);
    expect(stdout).toMatch(/\nVulnerable: \d+ of \d+ forgeries were let through; \d problems? to fix, see above\.\n$/);
  });
});
