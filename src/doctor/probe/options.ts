import { fileErrorReason } from '../../errors/file-error.ts';
import { ConfigurationError, combined, OperatorError } from '../../errors/operator-error.ts';
import { readBoundedFile } from '../../files/bounded-file.ts';
import { type PasswordOptions, readPassword } from '../../files/read-password.ts';
import { type ClientKeyPair, generateClientKeyPair } from './client-key-pair.ts';
import { readCaCertificates, readClientKeyPair } from './read-key-pair.ts';
import type { Address } from './routes.ts';

/** What to probe, and with which certificate. */
export interface ProbeOptions {
  /** The issuer or the mutual TLS base URL; or, at the edge, a protected URL. */
  readonly url: string;
  readonly clientKeyPair: ClientKeyPair;
  /** PEM: the CA of the proxy's own certificate; undefined for the CAs that this machine trusts. */
  readonly serverCa: string | undefined;
  readonly serverCaFile: string | undefined;
  /** Where to connect instead of the URL's host and port. */
  readonly connectTo: Address | undefined;
  /** The port on which the same host may serve plain HTTP. */
  readonly httpPort: number;
  /** The operations listeners of all replicas: `http://host:port` or `unix:/path`. */
  readonly operationsListeners: readonly [string, ...string[]];
  /** The access token to send to a protected URL. */
  readonly token: string | undefined;
  /** Parts of the files that are not read, as notes. */
  readonly unread: readonly string[];
}

/** The options of the command line, named as there. */
export interface DoctorOptions extends PasswordOptions {
  readonly url: string;
  /** Whether the URL is one that the edge protects. */
  readonly edge?: boolean;
  readonly token?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly cacert?: string;
  readonly connectTo?: string;
  /** Default: 80. */
  readonly httpPort?: number;
  readonly operations?: readonly string[];
}

/** The server's default operations listener. */
const DEFAULT_LISTENER = 'http://127.0.0.1:9090';

/**
 * Parses the options and reads the files that they name.
 *
 * @throws {OperatorError} with all problems
 */
export async function parseProbeOptions(options: DoctorOptions): Promise<ProbeOptions> {
  const errors: OperatorError[] = [];
  const unread: string[] = [];
  const warn = (part: string) => void unread.push(part);
  const collect = async <Value>(parse: () => Value | Promise<Value>): Promise<Value | undefined> => {
    try {
      return await parse();
    } catch (error) {
      if (!(error instanceof OperatorError)) throw error;
      errors.push(error);
      return undefined;
    }
  };
  const { cacert: serverCaFile, connectTo, operations = [], httpPort = 80 } = options;
  const url = await collect(() => (options.edge ? parseProtectedUrl(options.url) : parseBaseUrlOption(options.url)));
  const clientKeyPair = await collect(() => openClientKeyPair(options, warn));
  const serverCa = await collect(() =>
    serverCaFile === undefined ? undefined : readCaCertificates(serverCaFile, warn),
  );
  const address = await collect(() => (connectTo === undefined ? undefined : parseAddress(connectTo)));
  const [first = DEFAULT_LISTENER, ...others] = (await collect(() => operations.map(parseListener))) ?? [];
  const token = await collect(() => readToken(options));
  if (url === undefined || clientKeyPair === undefined || errors.length > 0) throw combined(errors);
  const operationsListeners = [first, ...others] as const;
  return {
    url,
    clientKeyPair,
    serverCa,
    serverCaFile,
    connectTo: address,
    httpPort,
    operationsListeners,
    token,
    unread,
  };
}

/** @throws {OperatorError} if it is not an https URL */
export function parseBaseUrlOption(text: string): string {
  const { origin, pathname } = parseHttpsUrl(text, 'https://auth.example');
  // Users paste the URL of the token endpoint.
  return origin + pathname.replace(/\/(?:token\/?)?$/, '');
}

function parseProtectedUrl(text: string): string {
  const { origin, pathname, search } = parseHttpsUrl(text, 'https://api.example/countersign-doctor/');
  return origin + pathname + search;
}

function parseHttpsUrl(text: string, example: string): URL {
  if (!URL.canParse(text)) throw new ConfigurationError([`--url: "${text}" is not a URL such as ${example}`]);
  const url = new URL(text);
  if (url.protocol === 'https:') return url;
  throw new ConfigurationError([`--url: "${text}" must start with https://: client certificates require TLS`]);
}

function openClientKeyPair(
  { cert, key, ...passwordOptions }: DoctorOptions,
  warn: (part: string) => void,
): ClientKeyPair | Promise<ClientKeyPair> {
  if (cert !== undefined)
    return readClientKeyPair({ certificateFile: cert, keyFile: key, password: readPassword(passwordOptions) }, warn);
  if (key === undefined) return generateClientKeyPair();
  throw new ConfigurationError(['--key requires --cert: pass both, --cert FILE --key FILE']);
}

function readToken({ token: file, edge }: DoctorOptions): string | undefined {
  if (file === undefined) return undefined;
  if (!edge) throw new ConfigurationError(['--token requires --edge: the doctor sends no token to /token']);
  const token = readTextFile(file).trim();
  if (/^[A-Za-z0-9._~+/-]+=*$/.test(token)) return token;
  throw new OperatorError([
    `${file}: is not an access token: pass the value of "access_token" in a response of /token`,
  ]);
}

function readTextFile(file: string): string {
  try {
    return readBoundedFile(file, 1).toString('latin1');
  } catch (error) {
    throw new OperatorError([`${file}: cannot be read: ${fileErrorReason(error)}`]);
  }
}

const addressPattern = /^(?:\[([0-9A-Fa-f:.]+)\]|([^:[\]\s/]+)):(\d{1,5})$/;

/** @throws {OperatorError} */
export function parseAddress(text: string): Address {
  const [, bracketed, bare, port] = addressPattern.exec(text) ?? [];
  const host = bracketed ?? bare;
  if (host !== undefined && Number(port) > 0 && Number(port) < 65_536) return { host, port: Number(port) };
  throw new ConfigurationError([`--connect-to: "${text}" is not HOST:PORT, such as 127.0.0.1:8443 or [::1]:8443`]);
}

function parseListener(text: string): string {
  if (text.startsWith('unix:/')) return text;
  const url = addressPattern.test(text) ? `http://${text}` : text;
  if (URL.canParse(url) && new URL(url).protocol === 'http:') return new URL(url).origin;
  throw new ConfigurationError([
    `--operations: "${text}" is not a listener such as ${DEFAULT_LISTENER} or unix:/run/operations.sock`,
  ]);
}
