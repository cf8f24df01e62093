import { expect, test } from 'vitest';
import { createOwnResponses } from '../../../src/doctor/probe/own-answers.ts';
import { isAnswered, type ProbeResponse } from '../../../src/doctor/probe/trial.ts';

const body = '{"error":"invalid_client","error_description":"Client authentication failed."}';
const response = (...fields: string[]): ProbeResponse => isAnswered(400, fields, body);

test('until one is known, every invalid_client may be ours', () => {
  const { mayBeOurs } = createOwnResponses();
  expect(mayBeOurs(response())).toBe(true);
  expect(mayBeOurs(isAnswered(400, [], '<html>'))).toBe(false);
  expect(mayBeOurs({ kind: 'closed', detail: '' })).toBe(false);
});

test('then those which have what all of ours have', () => {
  const { learn, mayBeOurs } = createOwnResponses();
  learn(response('server', 'pragma', 'set-cookie', 'connection', 'content-length'));
  learn(response('server', 'pragma', 'transfer-encoding'));
  learn(isAnswered(502, ['other'], '<html>'));
  expect(mayBeOurs(response('pragma', 'server'))).toBe(true);
  expect(mayBeOurs(response('pragma', 'server', 'set-cookie', 'x-more'))).toBe(true);
  expect(mayBeOurs(response('server', 'set-cookie'))).toBe(false);
});
