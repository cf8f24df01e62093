import type { Container, Manifest, PodSpec } from './manifest.ts';
import { podSpecOf } from './manifest.ts';

const allowedVolumes = [
  'configMap',
  'csi',
  'downwardAPI',
  'emptyDir',
  'ephemeral',
  'persistentVolumeClaim',
  'projected',
  'secret',
];

/**
 * What an object violates of the Pod Security Standard "restricted", and of what the chart promises beyond: a read-only root,
 * no token of the service account, no variables of Services, and a limit of memory.
 */
export function securityViolations(manifest: Manifest): readonly string[] {
  const pod = podSpecOf(manifest);
  if (!pod) return [];
  const containers = [...(pod.initContainers ?? []), ...pod.containers];
  const found = [...podViolations(pod), ...containers.flatMap((container) => containerViolations(container, pod))];
  return found.map((violation) => `${manifest.kind} ${manifest.metadata.name}: ${violation}`);
}

function podViolations(pod: PodSpec): readonly string[] {
  const volumes = (pod.volumes ?? []).flatMap((volume) => Object.keys(volume).filter((key) => key !== 'name'));
  return violated({
    'uses the host’s network, processes or IPC': pod.hostNetwork || pod.hostPID || pod.hostIPC,
    'mounts the token of the service account': pod.automountServiceAccountToken !== false,
    'gets variables of Services': pod.enableServiceLinks !== false,
    'runs as root': pod.securityContext?.runAsNonRoot !== true,
    'has no seccomp profile': pod.securityContext?.seccompProfile?.type !== 'RuntimeDefault',
    'has a volume of the host': volumes.some((kind) => !allowedVolumes.includes(kind)),
  });
}

/** Containers of users (`extraContainers`) inherit what a pod states. */
function containerViolations({ name, ports = [], securityContext = {}, resources }: Container, pod: PodSpec) {
  const { capabilities, runAsNonRoot, seccompProfile } = { ...pod.securityContext, ...securityContext };
  const isOwn = ['countersign', 'check-clients', 'apply-clients', 'test'].includes(name);
  return violated({
    'is privileged': securityContext.privileged,
    'may gain privileges': securityContext.allowPrivilegeEscalation !== false,
    'has capabilities': capabilities?.add !== undefined || capabilities?.drop?.join() !== 'ALL',
    'runs as root': runAsNonRoot !== true || securityContext.runAsUser === 0,
    'has no seccomp profile': seccompProfile?.type !== 'RuntimeDefault',
    'has a port of the host': ports.some(({ hostPort }) => hostPort !== undefined),
    'can write to its root': isOwn && securityContext.readOnlyRootFilesystem !== true,
    'has no limit of memory': isOwn && resources?.limits?.memory === undefined,
  }).map((violation) => `container ${name} ${violation}`);
}

function violated(rules: Readonly<Record<string, boolean | undefined>>): string[] {
  return Object.entries(rules)
    .filter(([, isViolated]) => isViolated)
    .map(([rule]) => rule);
}
