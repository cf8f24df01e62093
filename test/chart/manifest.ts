/** An object of Kubernetes, as far as tests read it. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec?: Readonly<Record<string, unknown>>;
  readonly data?: Readonly<Record<string, string>>;
}

export interface PodSpec {
  readonly automountServiceAccountToken?: boolean;
  readonly enableServiceLinks?: boolean;
  readonly hostNetwork?: boolean;
  readonly hostPID?: boolean;
  readonly hostIPC?: boolean;
  readonly terminationGracePeriodSeconds?: number;
  readonly securityContext?: SecurityContext;
  readonly initContainers?: readonly Container[];
  readonly containers: readonly Container[];
  readonly volumes?: readonly Readonly<Record<string, unknown>>[];
}

export interface Container {
  readonly name: string;
  readonly image: string;
  readonly command?: readonly string[];
  readonly args?: readonly string[];
  readonly env?: readonly { readonly name: string; readonly value?: string }[];
  readonly ports?: readonly { readonly name: string; readonly containerPort: number; readonly hostPort?: number }[];
  readonly securityContext?: SecurityContext;
  readonly volumeMounts?: readonly { readonly name: string; readonly mountPath: string; readonly readOnly?: boolean }[];
  readonly resources?: { readonly requests?: object; readonly limits?: Readonly<Record<string, string>> };
}

interface SecurityContext {
  readonly privileged?: boolean;
  readonly allowPrivilegeEscalation?: boolean;
  readonly readOnlyRootFilesystem?: boolean;
  readonly runAsNonRoot?: boolean;
  readonly runAsUser?: number;
  readonly fsGroup?: number;
  readonly capabilities?: { readonly add?: readonly string[]; readonly drop?: readonly string[] };
  readonly seccompProfile?: { readonly type: string };
}

/** The object of a kind, and with this suffix of its name if there are several. */
export function find(manifests: readonly Manifest[], kind: string, suffix = ''): Manifest {
  const found = manifests.find(({ kind: own, metadata }) => own === kind && metadata.name.endsWith(suffix));
  if (!found) throw new Error(`there is no ${kind} …${suffix} among ${manifests.map((each) => each.kind).join(', ')}`);
  return found;
}

/** The pods of an object; undefined if it has none. */
export function podSpecOf({ kind, spec }: Manifest): PodSpec | undefined {
  // Safe: validated against the schemas of Kubernetes, in which these kinds have these fields.
  if (kind === 'Pod') return spec as unknown as PodSpec;
  const isTemplate = kind === 'Deployment' || kind === 'Job';
  return isTemplate ? (spec as unknown as { template: { spec: PodSpec } }).template.spec : undefined;
}

/** The environment of the server. */
export function serverEnvironment(manifests: readonly Manifest[]): Readonly<Record<string, string | undefined>> {
  const [server] = podSpecOf(find(manifests, 'Deployment'))?.containers ?? [];
  return Object.fromEntries((server?.env ?? []).map(({ name, value }) => [name, value]));
}
