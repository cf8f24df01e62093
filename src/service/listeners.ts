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

const listenerNames = {
  listening: 'listening',
  edge_listening: 'edge listener',
  operations_listening: 'operations listener',
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
    event: keyof typeof listenerNames,
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
    const listener = await openListener(address, application, onMalformed, limits);
    opened.defer(listener.close);
    const url = describeListenAddress(listener.address);
    log.info({ event, url }, `${listenerNames[event]} on ${url}`);
    return listener;
  };
}

const withoutProxy: ContextReader = (request) =>
  readRequestContext(request, {
    trustedAddresses: { check: () => false },
    proxySecretDigests: [],
    proxyCertificateRules: [],
  });
