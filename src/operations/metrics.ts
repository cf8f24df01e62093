import { Gauge, Registry } from 'prom-client';

/** What can be asked for at `/metrics`, in Prometheus' text format. */
export interface Metrics {
  /** Adds a value that is read when it is asked for. */
  addGauge(gauge: GaugeDefinition): void;
  render(): Promise<string>;
  readonly contentType: string;
}

export interface GaugeDefinition {
  readonly name: string;
  readonly help: string;
  readonly labels: readonly string[];
  readonly read: () => readonly Sample[];
}

export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export function createMetrics(): Metrics {
  const registry = new Registry();
  return {
    addGauge: ({ name, help, labels, read }) => {
      const gauge = new Gauge({
        name: `countersign_${name}`,
        help,
        labelNames: [...labels],
        registers: [registry],
        collect: () => {
          gauge.reset();
          for (const sample of read()) gauge.set(sample.labels, sample.value);
        },
      });
    },
    render: () => registry.metrics(),
    contentType: registry.contentType,
  };
}
