import { allSettings, variablesOf } from '../../src/settings/table.ts';
import { headerFormatNames } from '../../src/terminator/formats.ts';
import { type ChartGroup, type ChartValue, readChartValues } from './values.ts';

/** A JSON Schema of draft 7, as far as this one is made of it. */
type Schema = Readonly<Record<string, unknown>>;

/** values.schema.json: Helm rejects values that are not in it. Types follow the defaults, unless a value has a type of its own. */
export function chartSchema(): Schema {
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'Values of the chart countersign',
    ...schemaOfGroup(readChartValues(), {
      global: { type: 'object', description: 'Values of a parent chart.' },
      enabled: { type: 'boolean', description: 'The condition of a parent chart, which Helm passes on.' },
    }),
  };
}

function schemaOfGroup({ description, members }: ChartGroup, further: Readonly<Record<string, Schema>> = {}): Schema {
  const properties = members.map((member) =>
    'members' in member
      ? [member.name, schemaOfGroup(member)]
      : [member.path.at(-1), { description: member.description, ...typeOf(member) }],
  );
  const required = members.filter(isRequired).map((member) => ('members' in member ? member.name : member.path.at(-1)));
  return {
    ...(description !== undefined && { description }),
    type: 'object',
    additionalProperties: false,
    ...(required.length > 0 && { required }),
    properties: { ...Object.fromEntries(properties), ...further },
  };
}

/** `null` removes a default: never a whole group, nor what would silently disable a part of the chart. */
function isRequired(member: ChartGroup | ChartValue): boolean {
  return 'members' in member || typeof member.default === 'boolean' || typeof member.default === 'number';
}

function typeOf({ path, default: value }: ChartValue): Schema {
  const type = ownTypes[path.join('.')];
  if (type) return type;
  if (typeof value === 'boolean') return { type: 'boolean' };
  if (typeof value === 'number') return integerFrom(0);
  if (typeof value === 'string') return { type: 'string' };
  if (Array.isArray(value)) return listOf({ type: 'object' });
  return { type: 'object' };
}

const integerFrom = (minimum: number, maximum?: number): Schema => ({
  type: 'integer',
  minimum,
  ...(maximum !== undefined && { maximum }),
});
const listOf = (items: Schema): Schema => ({ type: 'array', items });
const oneOf = (...values: readonly string[]): Schema => ({ enum: values });
const texts: Schema = { type: 'object', additionalProperties: { type: 'string' } };
const names = listOf({ type: 'string', minLength: 1 });
const port = integerFrom(1, 65_535);
/** `null` removes a default, such as on OpenShift, which assigns users itself. */
const user: Schema = { type: ['integer', 'null'], minimum: 1 };

/** The settings that other values of the chart set. */
const setByTheChart: ReadonlySet<string> = new Set([
  'ISSUER',
  'MTLS_URL',
  'LISTEN',
  'OPERATIONS_LISTEN',
  'DRAIN_DELAY',
  'TLS_CERTIFICATE_FILE',
  'EDGE_LISTEN',
  'EDGE_TERMINATOR',
  'TERMINATOR',
  'TRUSTED_PROXIES',
  'PROXY_CERTIFICATE_THUMBPRINTS',
  'PROXY_CA_FILE',
  'PROXY_SANS',
  'CLIENT_CA_FILE',
  'SIGNING_KEYS_DIR',
  'CLIENTS_FILE',
  'REDIS_KEY_PREFIX',
  'REDIS_CA_FILE',
  'REDIS_CERTIFICATE_FILE',
  'REDIS_CERTIFICATE_KEY_FILE',
]);

/** Secrets are not values: each is in a Secret, and so are all settings that are secret. */
const settings: Schema = {
  type: 'object',
  additionalProperties: false,
  properties: Object.fromEntries(
    allSettings
      .filter(({ name, isSecret }) => !isSecret && !setByTheChart.has(name))
      .map((setting) => [
        variablesOf(setting)[0],
        { type: ['string', 'integer', 'boolean'], description: `${setting.description}.` },
      ]),
  ),
};

/** What a default does not reveal. */
const ownTypes: Readonly<Record<string, Schema>> = {
  commonLabels: texts,
  commonAnnotations: texts,
  'image.digest': { type: 'string', pattern: '^(sha256:[0-9a-f]{64})?$' },
  'image.pullPolicy': oneOf('Always', 'IfNotPresent', 'Never'),
  issuer: { type: 'string', pattern: '^(https://.+)?$' },
  mtlsUrl: { type: 'string', pattern: '^(https://.+)?$' },
  terminator: oneOf('', ...headerFormatNames),
  'edge.terminator': oneOf('', ...headerFormatNames),
  'proxyTrust.addresses': listOf({ type: 'string', pattern: '^[0-9A-Fa-f:.]+(/[0-9]{1,3})?$' }),
  'proxyTrust.gatewayCertificate.names': names,
  'proxyTrust.gatewayCertificate.thumbprints': names,
  'clients.files': {
    type: 'object',
    additionalProperties: false,
    patternProperties: {
      '^[A-Za-z0-9][-._A-Za-z0-9]*\\.(ya?ml|json|jsonl|ndjson)$': { type: ['string', 'object', 'array'] },
    },
  },
  'clients.configMaps': names,
  settings,
  'autoscaling.minReplicas': integerFrom(1),
  'autoscaling.maxReplicas': integerFrom(1),
  'autoscaling.targetCPUUtilizationPercentage': integerFrom(1),
  'podDisruptionBudget.maxUnavailable': { type: ['integer', 'string'], minimum: 1, pattern: '^[1-9][0-9]*%$' },
  drainDelaySeconds: integerFrom(0, 600),
  listenAddress: oneOf('0.0.0.0', '[::]'),
  'service.type': oneOf('ClusterIP', 'NodePort', 'LoadBalancer'),
  'service.port': port,
  'service.targetPort': { type: ['integer', 'string'], minimum: 1, maximum: 65_535 },
  'service.nodePort': { type: ['integer', 'string'], minimum: 1, maximum: 65_535, maxLength: 0 },
  'service.externalTrafficPolicy': oneOf('', 'Cluster', 'Local'),
  'service.ipFamilyPolicy': oneOf('', 'SingleStack', 'PreferDualStack', 'RequireDualStack'),
  'service.ipFamilies': { ...listOf(oneOf('IPv4', 'IPv6')), uniqueItems: true },
  'service.annotations': texts,
  'metrics.serviceMonitor.labels': texts,
  'metrics.prometheusRule.labels': texts,
  'serviceAccount.annotations': texts,
  podSecurityContext: {
    type: 'object',
    additionalProperties: false,
    properties: {
      runAsUser: user,
      runAsGroup: user,
      fsGroup: user,
      fsGroupChangePolicy: oneOf('Always', 'OnRootMismatch'),
      supplementalGroups: listOf(integerFrom(1)),
      supplementalGroupsPolicy: oneOf('Merge', 'Strict'),
      seLinuxOptions: {
        type: 'object',
        additionalProperties: false,
        properties: { level: { type: 'string' }, type: oneOf('container_t', 'container_init_t', 'container_kvm_t') },
      },
    },
  },
  podAnnotations: texts,
  podLabels: texts,
  deploymentAnnotations: texts,
  nodeSelector: texts,
  dnsPolicy: oneOf('', 'ClusterFirst', 'ClusterFirstWithHostNet', 'Default', 'None'),
  extraObjects: listOf({ type: ['object', 'string'] }),
  'startupProbe.periodSeconds': integerFrom(1),
  'startupProbe.failureThreshold': integerFrom(1),
  'startupProbe.timeoutSeconds': integerFrom(1),
  'readinessProbe.periodSeconds': integerFrom(1),
  'readinessProbe.failureThreshold': integerFrom(1),
  'readinessProbe.timeoutSeconds': integerFrom(1),
  'livenessProbe.periodSeconds': integerFrom(1),
  'livenessProbe.failureThreshold': integerFrom(1),
  'livenessProbe.timeoutSeconds': integerFrom(1),
};
