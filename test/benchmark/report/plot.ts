import { loadLibrary } from '../libraries/load-library.ts';
import type { Measurement } from '../measure/rounds.ts';

/** The part of Apache ECharts that is used here: it renders SVG on a server, without a DOM. */
interface ECharts {
  readonly init: (
    element: null,
    theme: null,
    options: { renderer: 'svg'; ssr: true; width: number; height: number },
  ) => { readonly setOption: (option: object) => void; readonly renderToSVGString: () => string };
}

const WIDTH = 860;
const ROW_HEIGHT = 46;
const FRAME_HEIGHT = 150;
const colors = { limit: '#9aa5b1', serve: '#1f6feb', peer: '#d97706' } as const;

/**
 * A bar for the CPU time per token of each contender, with its spread and its ratio to the first one. The background is
 * white, so that it can be read on dark pages as well.
 *
 * @param caption date, machine and versions
 */
export async function plotCpuTime(measurements: readonly Measurement[], caption: string): Promise<string> {
  // Safe: libraries/package.json pins the version that has these.
  const echarts = (await loadLibrary('echarts')) as ECharts;
  const height = FRAME_HEIGHT + ROW_HEIGHT * measurements.length;
  const chart = echarts.init(null, null, { renderer: 'svg', ssr: true, width: WIDTH, height });
  chart.setOption({
    animation: false,
    backgroundColor: '#ffffff',
    title: [
      {
        text: 'CPU time per token',
        subtext: 'median, and its ratio to limit A; the line is the spread of the rounds',
        left: 24,
        top: 12,
      },
      { text: caption, left: 24, bottom: 8, textStyle: captionStyle },
    ],
    grid: { left: 180, right: 110, top: 76, bottom: 74 },
    xAxis: { type: 'value', axisLabel: { formatter: '{value} µs' } },
    yAxis: {
      type: 'category',
      inverse: true,
      data: measurements.map(({ contender }) => contender),
      axisTick: { show: false },
      axisLabel: { fontSize: 14, color: '#1f2933' },
    },
    series: [bars(measurements), spreads(measurements)],
  });
  return `${chart.renderToSVGString()}\n`;
}

const captionStyle = { fontSize: 11, fontWeight: 'normal', color: '#616e7c', width: WIDTH - 160, overflow: 'break' };

function bars(measurements: readonly Measurement[]): object {
  return {
    type: 'bar',
    barWidth: 24,
    data: measurements.map(({ contender, cpu }) => ({
      value: cpu.median,
      itemStyle: { color: colors[kindOf(contender)] },
    })),
  };
}

/** ECharts has no error bars: a custom series draws them, with the figures next to them. */
function spreads(measurements: readonly Measurement[]): object {
  return {
    type: 'custom',
    z: 3,
    data: measurements.map(({ cpu: { lowest, highest } }, row) => [lowest, highest, row]),
    encode: { x: [0, 1], y: 2 },
    renderItem: (
      _: unknown,
      api: { value: (dimension: number) => number; coord: (point: number[]) => [number, number] },
    ) => {
      const [left, y] = api.coord([api.value(0), api.value(2)]);
      const [right] = api.coord([api.value(1), api.value(2)]);
      const line = (x1: number, y1: number, x2: number, y2: number) => ({
        type: 'line',
        shape: { x1, y1, x2, y2 },
        style: { stroke: '#1f2933', lineWidth: 1.5 },
      });
      const { cpu, ratio } = measurements[api.value(2)] ?? { cpu: undefined, ratio: undefined };
      const text = `${cpu?.median.toFixed(0)} µs · ${ratio?.median.toFixed(2)} ×`;
      const label = { type: 'text', x: right + 10, y: y - 7, style: { text, fill: '#1f2933', fontSize: 14 } };
      const ends = [left, right].map((x) => line(x, y - 5, x, y + 5));
      const children = [line(left, y, right, y), ...ends, label];
      return { type: 'group', children };
    },
  };
}

function kindOf(contender: string): keyof typeof colors {
  if (contender.startsWith('limit')) return 'limit';
  return contender.startsWith('serve') ? 'serve' : 'peer';
}
