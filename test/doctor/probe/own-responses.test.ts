import { expect, test } from 'vitest';
import { createOwnResponses } from '../../../src/doctor/probe/own-responses.ts';
import { type ProbeResponse, parseResponse } from '../../../src/doctor/probe/trial.ts';

const body = '{"error":"invalid_client","error_description":"Client authentication failed."}';
const response = (...fields: string[]): ProbeResponse => parseResponse(400, fields, body);

test('any invalid_client response may be Countersign’s until one is learned', () => {
  const { mayBeCountersign: mayBeOurs } = createOwnResponses();
  expect(mayBeOurs(response())).toBe(true);
  expect(mayBeOurs(parseResponse(400, [], '<html>'))).toBe(false);
  expect(mayBeOurs({ kind: 'closed', detail: '' })).toBe(false);
});

test('a response may be Countersign’s when it has every field of the learned ones', () => {
  const { learn, mayBeCountersign: mayBeOurs } = createOwnResponses();
  learn(response('server', 'pragma', 'set-cookie', 'connection', 'content-length'));
  learn(response('server', 'pragma', 'transfer-encoding'));
  learn(parseResponse(502, ['other'], '<html>'));
  expect(mayBeOurs(response('pragma', 'server'))).toBe(true);
  expect(mayBeOurs(response('pragma', 'server', 'set-cookie', 'x-more'))).toBe(true);
  expect(mayBeOurs(response('server', 'set-cookie'))).toBe(false);
});

test('a response is not Countersign’s when only it has Proxy-Status', () => {
  const own = createOwnResponses();
  own.learn(response('pragma'));
  expect(own.mayBeCountersign(response('pragma', 'proxy-status'))).toBe(false);
  const behindProxyStatus = createOwnResponses();
  behindProxyStatus.learn(response('pragma', 'proxy-status'));
  expect(behindProxyStatus.mayBeCountersign(response('pragma', 'proxy-status'))).toBe(true);
});
