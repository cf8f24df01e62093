import { parse } from 'yaml';
import { documentedBlock } from '../support/documented-blocks.ts';
import type { ChartValues } from './helm.ts';

/** Values with which the chart is rendered: each of `ci/`, and what users change. */
export const chartMatrix: Readonly<Record<string, ChartValues>> = {
  'records in files': { file: 'files-values.yaml' },
  'records and keyring in Redis, a gateway certificate and an edge': { file: 'redis-values.yaml' },
  'nginx in the same pod': { file: 'sidecar-values.yaml' },
  'a fixed number of replicas': {
    file: 'files-values.yaml',
    values: { autoscaling: { enabled: false }, replicaCount: 4 },
  },
  'proxy secret and pinned gateway certificate': {
    file: 'files-values.yaml',
    values: {
      terminator: 'envoy',
      proxyTrust: { gatewayCertificate: { serverSecretName: 'tls', thumbprints: [`${'AB:'.repeat(31)}AB`] } },
      edge: { enabled: true, terminator: 'nginx' },
      tests: { client: { clientId: 'billing', certificateSecretName: 'billing', gatewaySecretName: 'gateway' } },
    },
  },
  'no NetworkPolicy, PodDisruptionBudget, ServiceAccount, tests or monitoring': {
    file: 'files-values.yaml',
    values: {
      networkPolicy: { enabled: false, gateway: [] },
      podDisruptionBudget: { enabled: false },
      serviceAccount: { create: false },
      tests: { enabled: false },
      metrics: { serviceMonitor: { enabled: false }, prometheusRule: { enabled: false } },
    },
  },
  'users that the platform assigns, as on OpenShift': {
    file: 'files-values.yaml',
    values: { podSecurityContext: { runAsUser: null, runAsGroup: null, fsGroup: null } },
  },
  'IPv6 and an egress policy': {
    file: 'redis-values.yaml',
    values: {
      listenAddress: '[::]',
      proxyTrust: { addresses: ['fd00:10::/32'] },
      service: { ipFamilyPolicy: 'SingleStack', ipFamilies: ['IPv6'] },
      networkPolicy: {
        egress: [{ to: [{ podSelector: { matchLabels: { app: 'redis' } } }], ports: [{ port: 6379 }] }],
      },
    },
  },
  'IPv6 beside IPv4, as documented': {
    file: 'files-values.yaml',
    values: parse(documentedBlock('docs/kubernetes.md', 'yaml', 'PreferDualStack')),
  },
  'every value that places and describes pods': {
    file: 'redis-values.yaml',
    values: {
      nameOverride: 'tokens',
      fullnameOverride: 'tokens-of-the-company',
      commonLabels: { team: 'platform', 'app.kubernetes.io/component': 'other' },
      commonAnnotations: { contact: 'platform' },
      image: { repository: 'registry.example/countersign', digest: `sha256:${'0'.repeat(64)}`, pullPolicy: 'Always' },
      imagePullSecrets: [{ name: 'registry' }],
      extraEnv: [{ name: 'OTEL_EXPORTER_OTLP_ENDPOINT', value: 'http://collector:4318' }],
      extraEnvFrom: [{ prefix: 'OTEL_', configMapRef: { name: 'tracing' } }],
      autoscaling: { minReplicas: 3, maxReplicas: 30, behavior: { scaleDown: { stabilizationWindowSeconds: 600 } } },
      podDisruptionBudget: { maxUnavailable: '25%' },
      topologySpreadConstraints: [
        { topologyKey: 'kubernetes.io/hostname', maxSkew: 1, whenUnsatisfiable: 'DoNotSchedule' },
      ],
      service: {
        annotations: { team: 'platform' },
        type: 'LoadBalancer',
        nodePort: 30443,
        trafficDistribution: 'PreferSameZone',
        externalTrafficPolicy: 'Local',
        loadBalancerClass: 'example.com/internal',
        ipFamilyPolicy: 'PreferDualStack',
        ipFamilies: ['IPv4', 'IPv6'],
      },
      listenAddress: '[::]',
      proxyTrust: { addresses: ['10.0.0.0/8', 'fd00:10::/32'] },
      serviceAccount: { name: 'tokens', annotations: { team: 'platform' } },
      podAnnotations: { revision: '1' },
      podLabels: { mesh: 'off', 'app.kubernetes.io/name': 'other' },
      deploymentAnnotations: { reviewed: 'yes' },
      nodeSelector: { 'kubernetes.io/arch': 'amd64' },
      tolerations: [{ key: 'dedicated', operator: 'Exists' }],
      affinity: { nodeAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [] } },
      priorityClassName: 'system-cluster-critical',
      runtimeClassName: 'gvisor',
      hostAliases: [{ ip: '192.0.2.1', hostnames: ['redis.example'] }],
      dnsPolicy: 'None',
      dnsConfig: { nameservers: ['192.0.2.53'] },
      extraVolumes: [{ name: 'audit', emptyDir: {} }],
      extraVolumeMounts: [{ name: 'audit', mountPath: '/var/log/countersign' }],
      settings: { AUDIT_FILE: '/var/log/countersign/audit.log', MAX_CONNECTIONS: 20_000 },
      extraObjects: [
        { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: '{{ .Release.Name }}-extra' } },
        'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ include "countersign.fullname" . }}-text\n',
      ],
      metrics: { serviceMonitor: { labels: { release: 'prometheus' }, interval: '15s' } },
    },
  },
  'names that YAML takes for numbers': {
    file: 'redis-values.yaml',
    values: {
      clients: { configMaps: ['1e3', '007', '1e3'] },
      redis: { urlSecretRef: { name: '123', key: '0' }, caSecretRef: { name: '1.0' }, keyPrefix: 'yes' },
      settings: { MAX_CONNECTIONS: 1_000_000, LOG_LEVEL: 'warn' },
    },
  },
};
