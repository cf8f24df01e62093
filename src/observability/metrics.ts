import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import { HistogramSeries } from './histogram.ts';

/** The metrics that `/metrics` serves in the text format of Prometheus. Every name gets the prefix `countersign_`. */
export interface Metrics {
  /** Adds a gauge that is read at each scrape. */
  addGauge(gauge: ObservedMetric): void;
  /** Adds a counter that is kept elsewhere and read at each scrape. */
  addCounter(counter: ObservedMetric): void;
  /** Adds a histogram; the result adds the series of a combination of labels, which starts empty. */
  histogram<Label extends string>(metric: HistogramDefinition<Label>): (labels: Labels<Label>) => HistogramChild;
  /** Adds the metrics that are usual for a process of Node.js, `process_…` and `nodejs_…`. */
  addProcessMetrics(): void;
  /** Those with the prefix, in the order in which they were added. */
  readonly described: readonly DescribedMetric[];
  render(): Promise<string>;
  readonly contentType: string;
}

interface MetricDefinition<Label extends string = string> {
  readonly name: string;
  readonly help: string;
  readonly labels: readonly Label[];
}

/** A metric as `/metrics` describes it. */
export interface DescribedMetric extends MetricDefinition {
  readonly type: 'counter' | 'gauge' | 'histogram';
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

/** How often the lag of the event loop is measured, in milliseconds: each time, an idle process wakes up. */
const EVENT_LOOP_SAMPLING = 100;

export function createMetrics(): Metrics {
  const registry = new Registry();
  const described: DescribedMetric[] = [];
  const histograms: RenderedHistogram[] = [];
  const describe = (type: DescribedMetric['type'], { name, help, labels }: MetricDefinition) => {
    const metric = { type, name: `countersign_${name}`, help, labels };
    described.push(metric);
    return { name: metric.name, help, labelNames: [...labels], registers: [registry] };
  };
  return {
    addGauge: (metric) => {
      const gauge: Gauge = new Gauge({
        ...describe('gauge', metric),
        collect: () => {
          gauge.reset();
          // Without labels, the library resets to one sample of 0.
          if (metric.labels.length === 0) gauge.remove();
          for (const { labels, value } of metric.read()) gauge.set(labels, value);
        },
      });
    },
    addCounter: (metric) => {
      const counter: Counter = new Counter({
        ...describe('counter', metric),
        collect: () => {
          counter.reset();
          if (metric.labels.length === 0) counter.remove();
          for (const { labels, value } of metric.read()) counter.inc(labels, value);
        },
      });
    },
    histogram: (metric) => {
      const { name, help } = describe('histogram', metric);
      const histogram: RenderedHistogram = { name, help, series: [] };
      histograms.push(histogram);
      return (labels) => {
        const series = new HistogramSeries(labels, metric.buckets);
        histogram.series.push(series);
        return series;
      };
    },
    addProcessMetrics: () =>
      collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: EVENT_LOOP_SAMPLING }),
    described,
    render: async () => [await registry.metrics(), ...histograms.map(renderHistogram)].join('\n'),
    contentType: registry.contentType,
  };
}

/** Not one of the library, which validates and hashes the labels of every value. */
interface RenderedHistogram {
  readonly name: string;
  readonly help: string;
  readonly series: HistogramSeries[];
}

function renderHistogram({ name, help, series }: RenderedHistogram): string {
  const lines = series.flatMap((each) => each.render(name));
  return [`# HELP ${name} ${help}`, `# TYPE ${name} histogram`, ...lines, ''].join('\n');
}
