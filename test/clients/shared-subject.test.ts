import { describe, expect, test } from 'vitest';
import { parseClient } from '../../src/clients/parse-client.ts';
import { defaultPolicy } from '../support/policy.ts';

const warningsOf = (fields: object) => {
  const record = { client_id: 'a', token_endpoint_auth_method: 'tls_client_auth', ...fields };
  const result = parseClient(record, defaultPolicy, 0);
  if (!result.ok) throw new Error(JSON.stringify(result.errors));
  return result.warnings;
};
const field = (kind: string) => `tls_client_auth_${kind}`;
const pin = 'szvSKqdIu_JmiYzNVJthhVtI2BtF7tT648Nc1Sa9aTQ';

describe('a client that is registered by a name of its own causes no warning:', () => {
  test.each([
    ['subject_dn', 'CN=billing'],
    ['subject_dn', 'CN=billing,O=Acme'],
    ['subject_dn', 'CN=Acme Billing,O=Acme'],
    ['subject_dn', 'serialNumber=4711,O=Acme'],
    ['subject_dn', 'UID=billing,DC=acme,DC=example'],
    ['subject_dn', 'emailAddress=billing@acme.example,O=Acme'],
    ['subject_dn', 'x500UniqueIdentifier=0a1b,O=SPIRE,C=US'],
    ['subject_dn', 'x500UniqueIdentifier=#0302000A,O=SPIRE,C=US'],
    ['subject_dn', 'CN=Acme,serialNumber=4711,O=Acme'],
    ['subject_dn', 'CN=billing.acme.example,serialNumber=HRB 1,businessCategory=Private Organization,O=Acme'],
    ['subject_dn', 'CN=spiffe://td/billing,O=SPIRE'],
    ['subject_dn', 'CN=localhost,CN=billing'],
    ['subject_dn', 'CN=192.0.2.7'],
    ['san_dns', 'billing.acme.example'],
    ['san_dns', 'localhost.acme.example'],
    ['san_dns', 'billing'],
    ['san_uri', 'spiffe://td/billing'],
    ['san_uri', 'urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6'],
    ['san_uri', 'https://localhost/billing'],
    ['san_uri', 'https://billing.acme.example'],
    ['san_ip', '192.0.2.7'],
    ['san_ip', '172.32.0.1'],
    ['san_ip', '2001:db8::7'],
    ['san_email', 'billing@acme.example'],
  ])('%s %s', (kind, value) => {
    expect(warningsOf({ [field(kind)]: value })).toEqual([]);
  });
});

describe('a client that is registered by a name of many clients causes a warning, unless it is pinned:', () => {
  test.each([
    ['subject_dn', 'O=SPIRE,C=US', 'has no CN, serialNumber, UID or other attribute that differs between clients'],
    ['subject_dn', 'OU=billing,O=Acme,L=Bern,ST=BE,STREET=1,DC=acme,C=CH', 'has no CN, serialNumber, UID'],
    ['subject_dn', 'dnQualifier=4711,O=Acme', 'has no CN, serialNumber, UID'],
    ['subject_dn', '2.5.4.97=VATCH-1,businessCategory=Private Organization,O=Acme', 'has no CN, serialNumber, UID'],
    ['subject_dn', '1.3.6.1.4.1.99999.7=a', 'has no CN, serialNumber, UID'],
    ['subject_dn', 'CN=Acme,O=Acme,C=US', 'does not differ between clients: its CN repeats its O'],
    ['subject_dn', 'CN=ACME\\ ,OU=acme,O=x', 'its CN repeats its OU'],
    ['subject_dn', 'serialNumber=HRB 1,jurisdictionC=DE,O=Acme', 'its serialNumber, beside a businessCategory'],
    ['subject_dn', 'CN=AWS IoT Certificate', 'is the CN of every certificate that AWS IoT generates'],
    ['subject_dn', 'CN=localhost', 'its CN "localhost" is the name of every machine for itself (RFC 6761'],
    ['subject_dn', 'CN=*.acme.example', 'its CN "*.acme.example" is a wildcard'],
    ['subject_dn', 'CN=10.0.0.7', 'its CN "10.0.0.7" is a private address'],
    [
      'subject_dn',
      'emailAddress=Admin@acme.example,CN=localhost',
      'is the mailbox of a role, not of one client (RFC 2142)',
    ],
    ['san_dns', 'localhost', 'is the name of every machine for itself'],
    ['san_dns', 'A.LocalHost', 'is the name of every machine for itself'],
    ['san_dns', 'localhost.localdomain', 'is the name of every machine for itself'],
    ['san_dns', '127.0.0.1', 'is the loopback address of every machine'],
    ['san_uri', 'spiffe://td', 'is a trust domain, which all of its workloads share; a SPIFFE ID has a path'],
    ['san_uri', 'SPIFFE://td/', 'is a trust domain'],
    ['san_uri', 'https://[::1]:8443/', 'has no path, and its host ::1 is the loopback address of every machine'],
    ['san_ip', '127.8.0.1', 'is the loopback address of every machine'],
    ['san_ip', '::1', 'is the loopback address of every machine'],
    ['san_ip', '::ffff:127.0.0.1', 'is the loopback address of every machine'],
    ['san_ip', '0.0.0.0', 'is not the address of a machine'],
    ['san_ip', '10.255.0.1', 'is a private address, which other networks reuse (RFC 1918'],
    ['san_ip', '172.17.0.2', 'is a private address'],
    ['san_ip', '192.168.178.2', 'is a private address'],
    ['san_ip', 'fd12::1', 'is a private address'],
    ['san_ip', '169.254.1.1', 'is a link-local address'],
    ['san_ip', 'fe80::1', 'is a link-local address'],
    ['san_ip', '100.100.0.1', 'is an address that carriers share (RFC 6598)'],
    ['san_ip', '255.255.255.255', 'is a multicast or broadcast address'],
    ['san_email', 'postmaster@acme.example', 'is the mailbox of a role'],
    ['san_email', 'billing@localhost', 'is at localhost, which is the name of every machine for itself'],
  ])('%s %s', (kind, value, reason) => {
    const fix = 'Register a name that only its certificate has, or the certificate itself';
    const warnings = warningsOf({ [field(kind)]: value });
    expect(warnings).toMatchObject([{ field: field(kind) }]);
    expect(warnings[0]?.message).toContain(reason);
    expect(warnings[0]?.message).toContain(
      `: every certificate with it from a trusted CA authenticates as this client. ${fix}`,
    );
    expect(warningsOf({ [field(kind)]: value, tls_client_auth_ca: [pin] })).toEqual([]);
  });

  test('also in an IdentityServer secret', () => {
    const secrets = [{ type: 'X509Name', value: 'OU=production, O=company' }];
    const message = expect.stringContaining('has no CN, serialNumber, UID');
    expect(warningsOf({ client_secrets: secrets })).toEqual([{ field: 'client_secrets[0].value', message }]);
  });
});
