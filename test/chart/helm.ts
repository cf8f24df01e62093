import { join } from 'node:path';
import { isMap, parseAllDocuments } from 'yaml';
import { installKubernetesTools, type KubernetesTools } from '../support/kubernetes-tools.ts';
import { repositoryRoot } from '../support/repository-root.ts';
import { type FinishedProgram, runProgram } from '../support/run-program.ts';
import type { Manifest } from './manifest.ts';

export const chartFolder = join(repositoryRoot, 'deploy/helm/countersign');

/** The major versions of Helm with which the chart is rendered. */
export const helmVersions = [3, 4] as const;
export type HelmVersion = (typeof helmVersions)[number];

const tools = new Map<HelmVersion, KubernetesTools>();

/** Helm of this major version, and the kubectl that comes with it. */
export function kubernetesTools(version: HelmVersion): KubernetesTools {
  const installed = tools.get(version) ?? installKubernetesTools(version);
  tools.set(version, installed);
  return installed;
}

export interface ChartValues {
  /** A file in `ci/` of the chart. */
  readonly file?: string;
  /** Values that replace those of the file. */
  readonly values?: Readonly<Record<string, unknown>>;
}

/** The kinds of the Prometheus operator, which a cluster may have or not. */
const MONITORING_KINDS = ['monitoring.coreos.com/v1/ServiceMonitor', 'monitoring.coreos.com/v1/PrometheusRule'];

/** Runs a command of Helm on the chart. */
export function helm(version: HelmVersion, args: readonly string[], values: ChartValues): Promise<FinishedProgram> {
  const { command, input } = helmOnChart(version, args, values);
  const [program, ...rest] = command;
  return runProgram(program, rest, { input });
}

/** A command of Helm on the chart. Standard input has the values, after those of the file. */
export function helmOnChart(version: HelmVersion, args: readonly string[], { file, values = {} }: ChartValues) {
  const files = file === undefined ? [] : ['--values', join(chartFolder, 'ci', file)];
  const command = [kubernetesTools(version).helm, ...args, ...files, '--values', '-'] as const;
  return { command, input: JSON.stringify(values) };
}

/**
 * The objects of a release `auth` in the namespace `auth`, in a cluster that has the kinds of the Prometheus operator.
 *
 * @throws {Error} with the message of Helm
 */
export async function renderChart(version: HelmVersion, values: ChartValues): Promise<readonly Manifest[]> {
  const { code, stdout, stderr } = await template(version, values);
  if (code !== 0) throw new Error(stderr);
  return parseManifests(stdout.toString());
}

/** Why the chart does not render. */
export async function renderError(version: HelmVersion, values: ChartValues): Promise<string> {
  const { code, stderr } = await template(version, values);
  if (code === 0) throw new Error('the chart was rendered, and should not have been');
  return stderr;
}

/** What was rendered before: a chart without a cluster renders the same objects each time. */
const templates = new Map<string, Promise<FinishedProgram>>();

function template(version: HelmVersion, values: ChartValues): Promise<FinishedProgram> {
  const key = JSON.stringify([version, values]);
  const known = templates.get(key) ?? runTemplate(version, values);
  templates.set(key, known);
  return known;
}

function runTemplate(version: HelmVersion, values: ChartValues): Promise<FinishedProgram> {
  const kinds = MONITORING_KINDS.flatMap((kind) => ['--api-versions', kind]);
  return helm(version, ['template', 'auth', chartFolder, '--namespace', 'auth', ...kinds], values);
}

/**
 * Parses the objects in a stream of YAML documents.
 *
 * @throws {Error} if a document is invalid, or has a key twice
 */
export function parseManifests(text: string): readonly Manifest[] {
  return [...parseAllDocuments(text)].flatMap((document) => {
    for (const error of document.errors) throw error;
    // Safe: Kubernetes requires these fields of each object, and the tests validate them against its schemas.
    return isMap(document.contents) ? [document.toJS() as Manifest] : [];
  });
}
