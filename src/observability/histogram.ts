/** The values of one time series of a histogram. Observing one is cheap: nothing is hashed and nothing allocated. */
export class HistogramSeries {
  readonly labels: Readonly<Record<string, string>>;
  /** How many values are in each bucket, and not in a smaller one. The last bucket has no bound. */
  readonly #counts: number[];
  readonly #bounds: readonly number[];
  #sum = 0;

  /** @param bounds upper bounds, ascending */
  constructor(labels: Readonly<Record<string, string>>, bounds: readonly number[]) {
    this.labels = labels;
    this.#bounds = bounds;
    this.#counts = Array.from({ length: bounds.length + 1 }, () => 0);
  }

  observe(value: number): void {
    let bucket = 0;
    while (value > (this.#bounds[bucket] ?? Number.POSITIVE_INFINITY)) bucket += 1;
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1;
    this.#sum += value;
  }

  /** The lines of the series in the text format of Prometheus, whose buckets are cumulative. */
  render(name: string): string[] {
    const labels = Object.entries(this.labels).map(([label, value]) => `${label}="${escapeValue(value)}"`);
    let count = 0;
    const buckets = this.#counts.map((inBucket, index) => {
      count += inBucket;
      return `${name}_bucket{${[...labels, `le="${this.#bounds[index] ?? '+Inf'}"`].join(',')}} ${count}`;
    });
    const set = labels.length === 0 ? '' : `{${labels.join(',')}}`;
    return [...buckets, `${name}_sum${set} ${this.#sum}`, `${name}_count${set} ${count}`];
  }
}

function escapeValue(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
