import { expect, test } from 'vitest';
import { createOwnAnswers } from '../../../src/doctor/probe/own-answers.ts';
import { type Answer, answered } from '../../../src/doctor/probe/trial.ts';

const body = '{"error":"invalid_client","error_description":"Client authentication failed."}';
const answer = (...fields: string[]): Answer => answered(400, fields, body);

test('until one is known, every invalid_client may be ours', () => {
  const { mayBeOurs } = createOwnAnswers();
  expect(mayBeOurs(answer())).toBe(true);
  expect(mayBeOurs(answered(400, [], '<html>'))).toBe(false);
  expect(mayBeOurs({ kind: 'closed', detail: '' })).toBe(false);
});

test('then those which have what all of ours have', () => {
  const { learn, mayBeOurs } = createOwnAnswers();
  learn(answer('server', 'pragma', 'set-cookie', 'connection', 'content-length'));
  learn(answer('server', 'pragma', 'transfer-encoding'));
  learn(answered(502, ['other'], '<html>'));
  expect(mayBeOurs(answer('pragma', 'server'))).toBe(true);
  expect(mayBeOurs(answer('pragma', 'server', 'set-cookie', 'x-more'))).toBe(true);
  expect(mayBeOurs(answer('server', 'set-cookie'))).toBe(false);
});
