import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openssl } from './openssl.ts';
import { temporaryDirectory } from './temporary-directory.ts';

/** A certificate created with the `openssl` command. */
export interface OpensslCertificate {
  readonly file: string;
  readonly der: Uint8Array;
}

/** A CA with its key in a file, as administrators use it. */
export interface OpensslCa extends OpensslCertificate {
  /** Uses `openssl ca`. Each extension is a line in the format of x509v3_config; sections can follow. */
  issueIntermediate(name: string, subject: string, extensions: string): Promise<OpensslCa>;
  /** Uses `openssl ca -revoke`. */
  revoke(certificate: OpensslCertificate): Promise<void>;
  /** Uses `openssl ca -gencrl`. Returns the path of the PEM. */
  issueCrl(name: string, extensions: string): Promise<string>;
  /** Uses `openssl x509 -req`. */
  issue(name: string, subject: string, extensions: string): Promise<OpensslCertificate>;
}

/** Creates a root with `openssl req -x509`, in its own directory. */
export async function createOpensslCa(subject: string, extensions: string): Promise<OpensslCa> {
  const folder = temporaryDirectory();
  writeFileSync(join(folder, 'index.txt'), '');
  const root = await requestIn(folder, 'root', subject, extensions);
  const { config, key, certificate } = root;
  const made = ['-config', config, '-extensions', 'made', '-key', key, '-subj', subject, '-out', certificate];
  await openssl(['req', '-x509', '-new', '-days', '30', ...made]);
  return caIn(folder, root);
}

interface Files {
  readonly config: string;
  readonly key: string;
  readonly request: string;
  readonly certificate: string;
}

/** Writes the input for a certificate: a key, a request, and a configuration with its extensions. */
async function requestIn(folder: string, name: string, subject: string, extensions: string): Promise<Files> {
  const path = (ending: string) => join(folder, `${name}.${ending}`);
  const files = { config: path('cnf'), key: path('key'), request: path('csr'), certificate: path('pem') };
  writeFileSync(files.config, configuration(folder, extensions));
  await openssl(['genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256', '-out', files.key]);
  await openssl(['req', '-new', '-config', files.config, '-key', files.key, '-subj', subject, '-out', files.request]);
  return files;
}

function caIn(folder: string, own: Files): OpensslCa {
  const signer = ['-cert', own.certificate, '-keyfile', own.key];
  return {
    ...certificateIn(own),
    revoke: async ({ file }) => {
      await openssl(['ca', '-config', own.config, ...signer, '-revoke', file]);
    },
    issueCrl: async (name, extensions) => {
      const [config, crl] = [join(folder, `${name}.cnf`), join(folder, `${name}.crl`)];
      writeFileSync(config, configuration(folder, extensions));
      const made = [...(extensions === '' ? [] : ['-crlexts', 'made']), '-crldays', '1', '-out', crl];
      await openssl(['ca', '-config', config, ...signer, '-gencrl', ...made]);
      return crl;
    },
    issueIntermediate: async (name, subject, extensions) => {
      const files = await requestIn(folder, name, subject, extensions);
      const { config, request, certificate } = files;
      const made = ['-config', config, '-extensions', 'made', '-in', request, '-out', certificate];
      await openssl(['ca', '-batch', '-notext', '-preserveDN', '-days', '20', ...signer, ...made]);
      return caIn(folder, files);
    },
    issue: async (name, subject, extensions) => {
      const files = await requestIn(folder, name, subject, extensions);
      const issuer = ['-CA', own.certificate, '-CAkey', own.key, '-CAcreateserial'];
      const made = ['-extfile', files.config, '-extensions', 'made', '-in', files.request, '-out', files.certificate];
      await openssl(['x509', '-req', '-sha256', '-days', '10', ...issuer, ...made]);
      return certificateIn(files);
    },
  };
}

function certificateIn({ certificate }: Files): OpensslCertificate {
  const base64 = readFileSync(certificate, 'latin1').replace(/-----[^-]+-----|\s/g, '');
  return { file: certificate, der: Buffer.from(base64, 'base64') };
}

function configuration(folder: string, extensions: string): string {
  return `
[req]
distinguished_name = dn
prompt = no
[dn]
[ca]
default_ca = us
[us]
database = ${join(folder, 'index.txt')}
new_certs_dir = ${folder}
rand_serial = yes
unique_subject = no
default_md = sha256
policy = any
[any]
countryName = optional
organizationName = optional
commonName = optional
[made]
${extensions}
`;
}
