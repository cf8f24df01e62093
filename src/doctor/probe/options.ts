import { StartupError } from '../../operator-error.ts';
import { type Identity, makeIdentity, readIdentity, readText } from './identity.ts';
import type { Order } from './probe.ts';
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
export const USUAL_LISTENER = 'http://127.0.0.1:9090';

/**
 * Reads what is to be examined.
 *
 * @throws {StartupError} with every fault
 */
export async function readOrder(options: DoctorOptions): Promise<Order> {
  const faults: string[] = [];
  const read = async <Value>(work: () => Value | Promise<Value>): Promise<Value | undefined> => {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof StartupError)) throw error;
      faults.push(...error.faults);
      return undefined;
    }
  };
  const { cacert, connectTo, operations = [], httpPort = 80 } = options;
  const url = await read(() => parseUrl(options.url));
  const identity = await read(() => readOwn(options));
  const serverCa = await read(() => (cacert === undefined ? undefined : readAuthority(cacert)));
  const address = await read(() => (connectTo === undefined ? undefined : parseAddress(connectTo)));
  const [first = USUAL_LISTENER, ...others] = (await read(() => operations.map(parseListener))) ?? [];
  if (url === undefined || identity === undefined || faults.length > 0) throw new StartupError(faults);
  return { url, identity, serverCa, serverCaFile: cacert, connectTo: address, httpPort, listeners: [first, ...others] };
}

function parseUrl(text: string): string {
  if (!URL.canParse(text)) throw new StartupError([`--url: "${text}" is not a URL such as https://auth.example`]);
  const { protocol, origin, pathname } = new URL(text);
  if (protocol !== 'https:') {
    throw new StartupError([
      `--url: "${text}" must begin with https://, for there is no client certificate without TLS`,
    ]);
  }
  // People paste the token endpoint.
  return origin + pathname.replace(/\/(?:token\/?)?$/, '');
}

function readOwn({ cert, key }: DoctorOptions): Identity | Promise<Identity> {
  if (cert !== undefined && key !== undefined) return readIdentity(cert, key);
  if (cert === undefined && key === undefined) return makeIdentity();
  throw new StartupError([
    `--${cert === undefined ? 'key' : 'cert'} stands alone: a certificate needs its key, --cert FILE --key FILE`,
  ]);
}

function readAuthority(file: string): string {
  const pem = readText(file);
  if (pem.includes('-----BEGIN CERTIFICATE-----')) return pem;
  throw new StartupError([`${file}: holds no certificate in PEM`]);
}

const addressPattern = /^(?:\[([0-9A-Fa-f:.]+)\]|([^:[\]\s/]+)):(\d{1,5})$/;

function parseAddress(text: string): Address {
  const [, bracketed, bare, port] = addressPattern.exec(text) ?? [];
  const host = bracketed ?? bare;
  if (host !== undefined && Number(port) > 0 && Number(port) < 65_536) return { host, port: Number(port) };
  throw new StartupError([`--connect-to: "${text}" is not HOST:PORT, such as 127.0.0.1:8443 or [::1]:8443`]);
}

function parseListener(text: string): string {
  if (text.startsWith('unix:/')) return text;
  const url = addressPattern.test(text) ? `http://${text}` : text;
  if (URL.canParse(url) && new URL(url).protocol === 'http:') return new URL(url).origin;
  throw new StartupError([
    `--operations: "${text}" is not a listener such as ${USUAL_LISTENER} or unix:/run/operations.sock`,
  ]);
}
