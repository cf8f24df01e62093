import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import { measureEventLoopLag } from './event-loop-lag.ts';
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
    addProcessMetrics: () => addProcessMetrics(registry),
    described,
    render: async () => [await registry.metrics(), ...histograms.map(renderHistogram)].join('\n'),
    contentType: registry.contentType,
  };
}

/** Milliseconds, some 12 days: the library measures the lag of the event loop by a timer that wakes up an idle process. */
const NO_SAMPLING = 1e9;
const lagMetrics = {
  nodejs_eventloop_lag_min_seconds: ['min', 'The minimum'],
  nodejs_eventloop_lag_max_seconds: ['max', 'The maximum'],
  nodejs_eventloop_lag_mean_seconds: ['mean', 'The mean'],
  nodejs_eventloop_lag_stddev_seconds: ['stddev', 'The standard deviation'],
  nodejs_eventloop_lag_p50_seconds: ['p50', 'The 50th percentile'],
  nodejs_eventloop_lag_p90_seconds: ['p90', 'The 90th percentile'],
  nodejs_eventloop_lag_p99_seconds: ['p99', 'The 99th percentile'],
} as const;

/** Those of the library, with our own measurement of the event loop. */
function addProcessMetrics(registry: Registry): void {
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: NO_SAMPLING });
  const takeLag = measureEventLoopLag();
  let lag = takeLag();
  for (const [index, [name, [field, what]]] of Object.entries(lagMetrics).entries()) {
    registry.removeSingleMetric(name);
    const help = `${what} of the event loop delays since the previous scrape, in seconds.`;
    const gauge: Gauge = new Gauge({
      name,
      help,
      registers: [registry],
      // All of them are of one moment.
      collect: () => {
        if (index === 0) lag = takeLag();
        gauge.set(lag[field]);
      },
    });
  }
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
