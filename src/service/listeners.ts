import { OperatorError } from '../errors/operator-error.ts';
import type { Application } from '../http/application.ts';
import { describeListenAddress, type ListenAddress } from '../http/listen-address.ts';
import { type HttpListener, openListener } from '../http/listener.ts';
import type { SheddingCause } from '../http/load-shedding.ts';
import type { ReceivedRequest } from '../http/received-request.ts';
import type { AuditLog } from '../observability/audit.ts';
import type { Log } from '../observability/log.ts';
import type { RequestMetrics } from '../observability/request-metrics.ts';
import { type ContextReader, readRequestContext } from '../terminator/request-context.ts';
import type { SharedLimits } from './listener-limits.ts';
import { auditUnservedRequests } from './unserved-requests.ts';

/** By the event of each: what its log line calls it, and the setting with its address. */
const listeners = {
  listening: { name: 'listening', setting: 'COUNTERSIGN_LISTEN' },
  edge_listening: { name: 'edge listener', setting: 'COUNTERSIGN_EDGE_LISTEN' },
  operations_listening: { name: 'operations listener', setting: 'COUNTERSIGN_OPERATIONS_LISTEN' },
} as const;

interface ListenerOptions {
  readonly log: Log;
  readonly auditLog: Pick<AuditLog, 'write'>;
  readonly requests: Pick<RequestMetrics, 'rejected'>;
}

/** What a listener for clients or checks accepts, and which proxies it trusts. */
interface ClientListenerOptions extends SharedLimits {
  readonly readContext: ContextReader;
}

/** Opens listeners, logs the address of each, and defers closing it to `opened`. */
export function listenerOpener({ log, ...unserved }: ListenerOptions, opened: AsyncDisposableStack) {
  /** @param limited undefined for the operations listener */
  return async (
    event: keyof typeof listeners,
    address: ListenAddress,
    application: Application,
    limited?: ClientListenerOptions,
  ): Promise<HttpListener> => {
    const { readContext = withoutProxy } = limited ?? {};
    const { onMalformed, onShed } = auditUnservedRequests({
      listensOn: address.kind,
      application,
      readContext,
      ...unserved,
    });
    const limits = limited && {
      ...limited,
      onShed: (cause: SheddingCause, request: ReceivedRequest) => {
        limited.countShed();
        onShed(limited.sheddingReason(cause), request);
      },
    };
    const { name, setting } = listeners[event];
    const listener = await naming(setting, openListener(address, application, onMalformed, limits));
    opened.defer(listener.close);
    const url = describeListenAddress(listener.address);
    log.info({ event, url }, `${name} on ${url}`);
    return listener;
  };
}

/** The address may be a default, so that the operator has never seen the setting. */
async function naming<Value>(setting: string, opening: Promise<Value>): Promise<Value> {
  try {
    return await opening;
  } catch (error) {
    if (!(error instanceof OperatorError)) throw error;
    throw new OperatorError(error.problems.map((problem) => `${setting}: ${problem}`));
  }
}

const withoutProxy: ContextReader = (request) =>
  readRequestContext(request, {
    trustedAddresses: { check: () => false },
    proxySecretDigests: [],
    proxyCertificateRules: [],
  });
