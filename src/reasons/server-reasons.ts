import type { ReasonTable } from './reason.ts';

/** What prevents the server from deciding: nothing is wrong with the request, and it succeeds later. */
export const serverReasons = {
  redis_unavailable: {
    meaning: 'A record could not be loaded from Redis, and is not cached.',
    cause: 'Redis cannot be reached, is overloaded, or rejects the command of this user.',
    fix: 'See the reason and the events of Redis in the log. Clients that are cached are served meanwhile.',
    error: 'temporarily_unavailable',
  },
  revocations_unavailable: {
    meaning: 'It is unknown whether the token is revoked, or not certain that its revocation is stored.',
    cause: 'Redis cannot be reached, or does not confirm the write.',
    fix: 'See the reason and the events of Redis in the log. A client repeats its revocation until it succeeds.',
    error: 'temporarily_unavailable',
  },
  signing_key_unavailable: {
    meaning: 'No key can sign the token at the moment.',
    cause:
      'The keyring has not been read yet, cannot be unsealed, or has no key of the algorithm that a resource requires.',
    fix: 'Run `countersign keys list`. See the reason and /readyz.',
    error: 'temporarily_unavailable',
  },
  keys_unpublished: {
    meaning: 'No key is published, so the documents that depend on keys cannot be served.',
    cause: 'The keyring has not been read yet.',
    fix: 'See /readyz.',
    error: 'temporarily_unavailable',
    isAudited: false,
  },
  path_validation_overloaded: {
    meaning:
      'The path of the certificate was not validated in time, because many certificates without a valid path were presented shortly before.',
    cause: 'Someone presents certificates of their own making, with long chains, again and again.',
    fix: 'Let the proxy require certificates of your CAs in the handshake. See docs/chains.md. Clients that are cached are served meanwhile.',
    error: 'temporarily_unavailable',
  },
  signing_overloaded: {
    meaning: 'More signatures are pending than the processor can compute in time.',
    cause: 'More requests than the processor can sign tokens for; RSA signatures take 20 times as long as EC ones.',
    fix: 'Add replicas, sign with ES256, or let clients reuse their tokens until they expire.',
    error: 'temporarily_unavailable',
  },
  audit_unwritable: {
    meaning: 'The decision could not be written to the audit log, so it was withheld.',
    cause: 'The disk is full, or whatever reads the standard output of the server has stopped.',
    fix: 'Free the disk. If the reader of standard output has ended, restart the server. The server reports the cause on standard error, in /readyz and in audit_file_failed.',
    error: 'temporarily_unavailable',
    isAudited: false,
  },
  internal_error: {
    meaning: 'The server met an unexpected condition: a defect.',
    cause: 'See the stack in the audit event.',
    fix: 'Report it, with the event.',
    error: 'server_error',
  },
} as const satisfies ReasonTable;
