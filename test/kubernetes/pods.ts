import { partsImage } from './part-images.ts';

/** An object of Kubernetes, as `kubectl apply` takes it. */
export type Manifest = Readonly<Record<string, unknown>> & {
  readonly kind: string;
  readonly metadata: Readonly<Record<string, unknown>> & { readonly name: string };
};

export function namespace(name: string): Manifest {
  const labels = {
    'pod-security.kubernetes.io/enforce': 'restricted',
    'pod-security.kubernetes.io/warn': 'restricted',
  };
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } };
}

type Texts = Readonly<Record<string, string>>;

export function secret(namespace: string, name: string, stringData: Texts): Manifest {
  return { apiVersion: 'v1', kind: 'Secret', metadata: { namespace, name }, stringData };
}

export function configMap(namespace: string, name: string, data: Texts): Manifest {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace, name }, data };
}

export interface PartOptions {
  readonly namespace: string;
  readonly name: string;
  readonly command: readonly string[];
  readonly port: number;
  /** Whether a port of each node leads to it. */
  readonly onNodes?: boolean;
  readonly volumes: readonly { readonly name: string; readonly mountPath: string }[];
}

/** The part of a Pod that is the same for a Deployment and a StatefulSet. It meets the level `restricted`. */
export function partTemplate(
  { name, command, port, volumes }: PartOptions,
  volumeSources: readonly Readonly<Record<string, unknown>>[],
): object {
  const container = {
    name,
    image: partsImage,
    imagePullPolicy: 'Never',
    command,
    ports: [{ name: 'main', containerPort: port }],
    readinessProbe: { tcpSocket: { port }, periodSeconds: 1 },
    resources: { requests: { cpu: '50m', memory: '32Mi' }, limits: { memory: '256Mi' } },
    securityContext: {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    },
    volumeMounts: [...volumes, { name: 'tmp', mountPath: '/tmp' }],
  };
  const spec = {
    // The other node is drained.
    nodeSelector: { 'kubernetes.io/hostname': 'n1' },
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    terminationGracePeriodSeconds: 5,
    securityContext: {
      runAsNonRoot: true,
      runAsUser: 65532,
      fsGroup: 65532,
      seccompProfile: { type: 'RuntimeDefault' },
      // A safe sysctl: the shipped configurations listen on port 443.
      sysctls: [{ name: 'net.ipv4.ip_unprivileged_port_start', value: '0' }],
    },
    containers: [container],
    volumes: [...volumeSources, { name: 'tmp', emptyDir: {} }],
  };
  return { metadata: { labels: { app: name } }, spec };
}

export function serviceOf({ namespace, name, port, onNodes = false }: PartOptions): Manifest {
  const ports = [{ port, targetPort: 'main' }];
  const spec = { type: onNodes ? 'NodePort' : 'ClusterIP', selector: { app: name }, ports };
  return { apiVersion: 'v1', kind: 'Service', metadata: { namespace, name }, spec };
}

export function deploymentOf(
  options: PartOptions,
  volumeSources: readonly Readonly<Record<string, unknown>>[],
): Manifest {
  const { namespace, name } = options;
  const spec = {
    replicas: 1,
    selector: { matchLabels: { app: name } },
    template: partTemplate(options, volumeSources),
  };
  return { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { namespace, name }, spec };
}
