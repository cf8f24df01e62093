import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { Turns } from '../../src/http/turns.ts';
import { eventually } from '../support/eventually.ts';

/** Opens connections at once to a server that always has work, and counts the turns with work until all are accepted. */
async function turnsUntilAccepted(connections: number): Promise<{ working: number; mostAccepted: number }> {
  const server = createServer();
  let accepted = 0;
  const acceptedBefore: number[] = [];
  const turns = new Turns(server, () => {
    if (accepted > 0) acceptedBefore.push(accepted);
    return accepted < connections;
  });
  server.on('connection', () => {
    accepted += 1;
  });
  server.listen({ port: 0, host: '127.0.0.1', backlog: connections });
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const sockets = Array.from({ length: connections }, () => connect(port, '127.0.0.1'));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  turns.schedule();
  await eventually(
    () => acceptedBefore.at(-1) === connections,
    () => `${accepted} connections accepted`,
  );
  const accepting = acceptedBefore.map((count, index) => count - (acceptedBefore[index - 1] ?? 0));
  return { working: acceptedBefore.length, mostAccepted: Math.max(...accepting) };
}

test('a few connections are accepted in turns between which requests are served', async () => {
  const { mostAccepted } = await turnsUntilAccepted(50);
  expect(mostAccepted).toBeLessThanOrEqual(16);
});

test('connections that keep arriving are accepted in ever more turns between which no request is served', async () => {
  const { working, mostAccepted } = await turnsUntilAccepted(1_000);
  expect(mostAccepted).toBeGreaterThan(32);
  expect(working).toBeLessThan(80);
});
