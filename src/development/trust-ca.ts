import { displayPath, shellQuote } from './examples.ts';
import type { Workspace } from './workspace.ts';

/** Lines to paste, so that a program in this language trusts the throw-away CA. */
export interface TrustExample {
  readonly language: string;
  readonly lines: readonly string[];
}

/** How programs trust the CA of the workspace without a change of their code. docs/development.md has the code. */
export function trustExamples({ caFile }: Pick<Workspace, 'caFile'>): readonly TrustExample[] {
  const ca = shellQuote(displayPath(caFile));
  const java = [
    `keytool -importcert -noprompt -file ${ca} \\`,
    '  -keystore trust.p12 -storepass changeit',
    'java -Djavax.net.ssl.trustStore=trust.p12 \\',
    '  -Djavax.net.ssl.trustStorePassword=changeit …',
  ];
  return [
    { language: '.NET', lines: [`SSL_CERT_FILE=${ca} dotnet run  # on Linux`] },
    { language: 'Java', lines: java },
    { language: 'Python', lines: [`SSL_CERT_FILE=${ca} python …`, `REQUESTS_CA_BUNDLE=${ca} python …  # requests`] },
    { language: 'Node.js', lines: [`NODE_EXTRA_CA_CERTS=${ca} node …`] },
  ];
}
