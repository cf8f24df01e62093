import { Counter, Gauge, Histogram, Registry } from 'prom-client';

/** The metrics that `/metrics` serves in the text format of Prometheus. Every name gets the prefix `countersign_`. */
export interface Metrics {
  /** Adds a gauge that is read at each scrape. */
  addGauge(gauge: ObservedMetric): void;
  /** Adds a counter that is kept elsewhere and read at each scrape. */
  addCounter(counter: ObservedMetric): void;
  /** Adds a histogram; the result resolves the child of a combination of labels, which starts empty. */
  histogram<Label extends string>(metric: HistogramDefinition<Label>): (labels: Labels<Label>) => HistogramChild;
  render(): Promise<string>;
  readonly contentType: string;
}

interface MetricDefinition<Label extends string = string> {
  readonly name: string;
  readonly help: string;
  readonly labels: readonly Label[];
}

export interface ObservedMetric extends MetricDefinition {
  readonly read: () => readonly Sample[];
}

interface HistogramDefinition<Label extends string> extends MetricDefinition<Label> {
  /** Upper bounds, ascending. */
  readonly buckets: readonly number[];
}

type Labels<Label extends string> = Readonly<Record<Label, string>>;

export interface Sample {
  readonly labels: Labels<string>;
  readonly value: number;
}

/** One time series. Resolve it once, not per request. */
export interface HistogramChild {
  observe(value: number): void;
}

export function createMetrics(): Metrics {
  const registry = new Registry();
  const options = <Label extends string>({ name, help, labels }: MetricDefinition<Label>) => ({
    name: `countersign_${name}`,
    help,
    labelNames: [...labels],
    registers: [registry],
  });
  return {
    addGauge: (metric) => {
      const gauge: Gauge = new Gauge({
        ...options(metric),
        collect: () => {
          gauge.reset();
          for (const { labels, value } of metric.read()) gauge.set(labels, value);
        },
      });
    },
    addCounter: (metric) => {
      const counter: Counter = new Counter({
        ...options(metric),
        collect: () => {
          counter.reset();
          for (const { labels, value } of metric.read()) counter.inc(labels, value);
        },
      });
    },
    histogram: (metric) => {
      const histogram = new Histogram({ ...options(metric), buckets: [...metric.buckets] });
      return (labels) => {
        histogram.zero(labels);
        return histogram.labels(labels);
      };
    },
    render: () => registry.metrics(),
    contentType: registry.contentType,
  };
}
