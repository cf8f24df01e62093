const SERVICE_LINK = /_(?:SERVICE_HOST|SERVICE_PORT(?:_.+)?|PORT(?:_\d+_(?:TCP|UDP|SCTP)(?:_(?:PROTO|PORT|ADDR))?)?)$/;

/**
 * Whether a variable is one of those that Kubernetes adds to the environment of every pod for a Service: for one named
 * `otel-collector`, they begin with `OTEL_COLLECTOR_`.
 */
export function isServiceLink(variable: string): boolean {
  return SERVICE_LINK.test(variable);
}
