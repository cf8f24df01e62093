import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { getRequestListener } from '@hono/node-server';
import { Hono } from 'hono';

/**
 * `node bare-approval.ts PORT HEADER_FILE`: approves every check, with the header that the file contains as a JSON object.
 */
const [, , port = '', headerFile = ''] = process.argv;
// Safe: the benchmark wrote it.
const header = JSON.parse(readFileSync(headerFile, 'utf8')) as Record<string, string>;

const app = new Hono();
app.get('/edge/:kind/:name', (c) => c.body(null, 200, header));
createServer(getRequestListener(app.fetch)).listen(Number(port), '127.0.0.1');
