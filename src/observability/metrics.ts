import { Counter, Gauge, Registry } from 'prom-client';

/** What can be asked for at `/metrics`, in Prometheus' text format. */
export interface Metrics {
  /** Adds a value that is read when it is asked for. */
  addGauge(gauge: MetricDefinition): void;
  /** Adds one that only grows. */
  addCounter(counter: MetricDefinition): void;
  render(): Promise<string>;
  readonly contentType: string;
}

export interface MetricDefinition {
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
  const options = ({ name, help, labels }: MetricDefinition) => ({
    name: `countersign_${name}`,
    help,
    labelNames: [...labels],
    registers: [registry],
  });
  return {
    addGauge: (definition) => {
      const gauge = new Gauge({
        ...options(definition),
        collect: () => {
          gauge.reset();
          for (const { labels, value } of definition.read()) gauge.set(labels, value);
        },
      });
    },
    addCounter: (definition) => {
      const counter = new Counter({
        ...options(definition),
        collect: () => {
          counter.reset();
          for (const { labels, value } of definition.read()) counter.inc(labels, value);
        },
      });
    },
    render: () => registry.metrics(),
    contentType: registry.contentType,
  };
}
