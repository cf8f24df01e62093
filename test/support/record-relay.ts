import { type AddressInfo, connect, createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { onTestFinished } from 'vitest';

/**
 * A relay in front of a TLS server that forwards the records of clients one at a time, so that the server reads a
 * certificate before what completes the handshake. It stops after the test.
 *
 * @param change what the server gets in place of a record
 * @returns its port
 */
export async function startRecordRelay(port: number, change = (record: Buffer) => record): Promise<number> {
  const relay = createServer((client) => {
    const server = connect(port, '127.0.0.1');
    server.on('error', () => client.destroy()).pipe(client);
    client.on('error', () => server.destroy()).on('close', () => server.end());
    let received = Buffer.alloc(0);
    let sent = Promise.resolve();
    client.on('data', (bytes: Buffer) => {
      received = Buffer.concat([received, bytes]);
      for (let end = recordEnd(received); end <= received.length; end = recordEnd(received)) {
        const record = change(received.subarray(0, end));
        received = received.subarray(end);
        sent = sent.then(() => {
          server.write(record);
          return delay(30);
        });
      }
    });
  });
  await new Promise<void>((resolve) => relay.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void relay.close());
  // Not a string, since it listens on TCP.
  return (relay.address() as AddressInfo).port;
}

function recordEnd(bytes: Buffer): number {
  return bytes.length < 5 ? Number.POSITIVE_INFINITY : 5 + bytes.readUInt16BE(3);
}
