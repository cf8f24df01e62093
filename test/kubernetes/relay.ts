import { connect, createServer } from 'node:net';

/**
 * Forwards connections from a Unix socket to a TCP address, seen from the network namespace in which it runs. Started by
 * cluster.ts: `node relay.ts SOCKET HOST PORT`.
 */
const [socket = '', host = '', port = ''] = process.argv.slice(2);

createServer({ allowHalfOpen: true }, (near) => {
  const far = connect({ host, port: Number(port), allowHalfOpen: true });
  near.pipe(far).pipe(near);
  // The other side sees how a connection ended.
  near.on('error', () => far.destroy()).on('close', () => far.destroy());
  far.on('error', () => near.destroy()).on('close', () => near.destroy());
}).listen(socket, () => console.info('listening'));
