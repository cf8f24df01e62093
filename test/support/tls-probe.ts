import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { openssl } from './openssl.ts';

/** Offers cipher suites to a TLS server that no TLS library of today would offer, one handshake message by hand. */

const versions = { SSLv3: 0x0300, 'TLSv1.0': 0x0301, 'TLSv1.1': 0x0302, 'TLSv1.2': 0x0303, 'TLSv1.3': 0x0304 } as const;
export type ProbedVersion = keyof typeof versions;

export interface Offer {
  readonly version: ProbedVersion;
  /** Numbers of the IANA registry. */
  readonly suites: readonly number[];
  /** The SNI, or `''` for none. */
  readonly serverName: string;
}

/** The number of the suite that the server chose, or undefined if it rejected the offer or chose another version. */
export async function chosenSuite(port: number, offer: Offer): Promise<number | undefined> {
  const received = await firstRecord(port, clientHello(offer));
  // A handshake record with a ServerHello: version, random, session id, cipher suite (RFC 5246 §7.4.1.3).
  if (received[0] !== 22 || received[5] !== 2) return undefined;
  const afterSessionId = 44 + (received[43] ?? 0);
  const isTls13 = received.includes(u16(43, 2, versions['TLSv1.3']), afterSessionId);
  const version = isTls13 ? versions['TLSv1.3'] : received.readUInt16BE(9);
  return version === versions[offer.version] ? received.readUInt16BE(afterSessionId) : undefined;
}

/**
 * The names of the suites that the server accepts in this version, in alphabetical order. Each suite of the version that
 * OpenSSL knows is offered alone, and the other numbers of the registry (RC4, DES, export and so on) together.
 */
export async function acceptedSuites(port: number, offer: Omit<Offer, 'suites'>): Promise<string[]> {
  const offered = [...(await suiteNames())].filter(([number]) => isOfTls13(number) === (offer.version === 'TLSv1.3'));
  const accepted: string[] = [];
  const remaining = [...offered];
  const offerNext = async (): Promise<void> => {
    const [number, name] = remaining.pop() ?? [];
    if (number === undefined || name === undefined) return;
    if ((await chosenSuite(port, { ...offer, suites: [number] })) !== undefined) accepted.push(name);
    await offerNext();
  };
  await Promise.all(Array.from({ length: 8 }, offerNext));
  const numbers = new Set(offered.map(([number]) => number));
  const others = registeredNumbers.filter((number) => !numbers.has(number));
  const other = await chosenSuite(port, { ...offer, suites: others });
  return [...accepted, ...(other === undefined ? [] : [`0x${other.toString(16)}`])].sort();
}

const isOfTls13 = (number: number) => number >> 8 === 0x13;

/** Every suite that OpenSSL knows, by number. */
async function suiteNames(): Promise<ReadonlyMap<number, string>> {
  const tls13 = ['GCM_SHA256', 'CCM_SHA256', 'CCM_8_SHA256'].map((mode) => `TLS_AES_128_${mode}`);
  const ofTls13 = [...tls13, 'TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256'].join(':');
  const list = await openssl(['ciphers', '-V', '-ciphersuites', ofTls13, 'ALL:COMPLEMENTOFALL:@SECLEVEL=0']);
  const lines = list.matchAll(/0x([0-9A-F]{2}),0x([0-9A-F]{2}) - (\S+)/g);
  return new Map([...lines].map(([, high = '', low = '', name = '']) => [Number.parseInt(high + low, 16), name]));
}

/** The blocks from which the IANA registry assigns numbers. The last of the first one signals renegotiation. */
export const registeredNumbers: readonly number[] = [0x0000, 0x1300, 0xc000, 0xc100, 0xcc00, 0xd000].flatMap((first) =>
  Array.from({ length: 255 }, (_, index) => first + index),
);

function firstRecord(port: number, hello: Uint8Array): Promise<Buffer> {
  const { promise, resolve } = Promise.withResolvers<Buffer>();
  const socket = connect({ host: '127.0.0.1', port });
  let received = Buffer.alloc(0);
  socket.on('data', (chunk: Buffer) => {
    received = Buffer.concat([received, chunk]);
    const length = received.length < 5 ? Number.POSITIVE_INFINITY : 5 + received.readUInt16BE(3);
    if (received.length >= length) socket.destroy();
  });
  socket.on('error', () => {}); // A server may reset the connection instead of an alert.
  socket.once('close', () => resolve(received));
  socket.write(hello);
  return promise;
}

/** RFC 8446 §4.1.2; before TLS 1.3 without its extensions. */
function clientHello({ version, suites, serverName }: Offer): Buffer {
  const isTls13 = version === 'TLSv1.3';
  const groups = vector(u16(...[29, 23, 24, 25, 30, 256, 257]));
  const signatures = [0x0403, 0x0503, 0x0603, 0x0804, 0x0805, 0x0806, 0x0401, 0x0501, 0x0601, 0x0203, 0x0201, 0x0402];
  const name = Buffer.from(serverName);
  const extensions = Buffer.concat([
    ...(serverName === '' ? [] : [extension(0, vector(Buffer.concat([Buffer.from([0]), vector(name)])))]),
    extension(10, groups),
    extension(11, Buffer.from([1, 0])),
    extension(13, vector(u16(...signatures))),
    extension(23, Buffer.alloc(0)),
    extension(0xff01, Buffer.from([0])),
    ...(isTls13 ? tls13Extensions() : []),
  ]);
  const body = Buffer.concat([
    u16(Math.min(versions[version], versions['TLSv1.2'])),
    randomBytes(32),
    Buffer.from([0]),
    vector(u16(...suites)),
    Buffer.from([1, 0]),
    vector(extensions),
  ]);
  const handshake = Buffer.concat([Buffer.from([1, 0]), vector(body)]);
  return Buffer.concat([Buffer.from([22]), u16(Math.min(versions[version], versions['TLSv1.0'])), vector(handshake)]);
}

/** Only TLS 1.3, and a public key for X25519: any 32 bytes. */
function tls13Extensions(): Buffer[] {
  return [
    extension(43, Buffer.concat([Buffer.from([2]), u16(versions['TLSv1.3'])])),
    extension(51, vector(Buffer.concat([u16(29), vector(randomBytes(32))]))),
  ];
}

function extension(type: number, content: Uint8Array): Buffer {
  return Buffer.concat([u16(type), vector(content)]);
}

/** The bytes after their length, in two bytes. */
function vector(content: Uint8Array): Buffer {
  return Buffer.concat([u16(content.length), content]);
}

function u16(...numbers: readonly number[]): Buffer {
  return Buffer.from(numbers.flatMap((number) => [number >> 8, number & 0xff]));
}
