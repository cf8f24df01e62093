import { OperatorError } from '../../operator-error.ts';
import { type ClientKeyPair, makeClientKeyPair, readClientKeyPair, readText } from './identity.ts';
import type { ProbeOptions } from './probe.ts';
import type { Address } from './routes.ts';

/** As the command line has them. */
export interface DoctorOptions {
  readonly url: string;
  readonly cert?: string;
  readonly key?: string;
  readonly cacert?: string;
  readonly connectTo?: string;
  /** Default: 80. */
  readonly httpPort?: number;
  readonly operations?: readonly string[];
}

/** Where the operations listener is when nobody has said otherwise. */
export const DEFAULT_LISTENER = 'http://127.0.0.1:9090';

/**
 * Reads what is to be examined.
 *
 * @throws {OperatorError} with every fault
 */
export async function parseProbeOptions(options: DoctorOptions): Promise<ProbeOptions> {
  const problems: string[] = [];
  const read = async <Value>(work: () => Value | Promise<Value>): Promise<Value | undefined> => {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof OperatorError)) throw error;
      problems.push(...error.problems);
      return undefined;
    }
  };
  const { cacert, connectTo, operations = [], httpPort = 80 } = options;
  const url = await read(() => parseUrl(options.url));
  const identity = await read(() => readOwn(options));
  const serverCa = await read(() => (cacert === undefined ? undefined : readCaCertificate(cacert)));
  const address = await read(() => (connectTo === undefined ? undefined : parseAddress(connectTo)));
  const [first = DEFAULT_LISTENER, ...others] = (await read(() => operations.map(parseListener))) ?? [];
  if (url === undefined || identity === undefined || problems.length > 0) throw new OperatorError(problems);
  return { url, identity, serverCa, serverCaFile: cacert, connectTo: address, httpPort, listeners: [first, ...others] };
}

function parseUrl(text: string): string {
  if (!URL.canParse(text)) throw new OperatorError([`--url: "${text}" is not a URL such as https://auth.example`]);
  const { protocol, origin, pathname } = new URL(text);
  if (protocol !== 'https:') {
    throw new OperatorError([
      `--url: "${text}" must begin with https://, for there is no client certificate without TLS`,
    ]);
  }
  // People paste the token endpoint.
  return origin + pathname.replace(/\/(?:token\/?)?$/, '');
}

function readOwn({ cert, key }: DoctorOptions): ClientKeyPair | Promise<ClientKeyPair> {
  if (cert !== undefined && key !== undefined) return readClientKeyPair(cert, key);
  if (cert === undefined && key === undefined) return makeClientKeyPair();
  throw new OperatorError([
    `--${cert === undefined ? 'key' : 'cert'} stands alone: a certificate needs its key, --cert FILE --key FILE`,
  ]);
}

function readCaCertificate(file: string): string {
  const pem = readText(file);
  if (pem.includes('-----BEGIN CERTIFICATE-----')) return pem;
  throw new OperatorError([`${file}: holds no certificate in PEM`]);
}

const addressPattern = /^(?:\[([0-9A-Fa-f:.]+)\]|([^:[\]\s/]+)):(\d{1,5})$/;

function parseAddress(text: string): Address {
  const [, bracketed, bare, port] = addressPattern.exec(text) ?? [];
  const host = bracketed ?? bare;
  if (host !== undefined && Number(port) > 0 && Number(port) < 65_536) return { host, port: Number(port) };
  throw new OperatorError([`--connect-to: "${text}" is not HOST:PORT, such as 127.0.0.1:8443 or [::1]:8443`]);
}

function parseListener(text: string): string {
  if (text.startsWith('unix:/')) return text;
  const url = addressPattern.test(text) ? `http://${text}` : text;
  if (URL.canParse(url) && new URL(url).protocol === 'http:') return new URL(url).origin;
  throw new OperatorError([
    `--operations: "${text}" is not a listener such as ${DEFAULT_LISTENER} or unix:/run/operations.sock`,
  ]);
}
