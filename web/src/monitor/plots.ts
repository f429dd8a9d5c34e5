/** The plots, drawn with uPlot into any element: for the monitoring page and for reports. */

import uPlot from 'uplot';
import { lookOf, type Look } from './colours.ts';
import type { HistorySample, ShownResult } from './data.ts';
import { clock, rate, whole } from './format.ts';
import type { StackedRates } from './series.ts';

/** The colours of a plot besides those of the devices. */
interface Theme {
  text: string;
  grid: string;
  back: string;
  accent: string;
  soft: string;
}

const FONT = '12px system-ui, sans-serif';

function themeOf(root: HTMLElement): Theme {
  const style = getComputedStyle(root);
  const of = (name: string) => style.getPropertyValue(name).trim();
  return {
    text: of('--soft'),
    grid: of('--line'),
    back: of('--card'),
    accent: of('--strong'),
    soft: of('--soft'),
  };
}

/** A plot that fills its element and follows the element's size. */
abstract class Plot {
  private plot?: uPlot;
  private readonly resizing: ResizeObserver;

  constructor(
    private readonly root: HTMLElement,
    /** The least height, in pixels. */
    private readonly height: number,
  ) {
    this.resizing = new ResizeObserver(() => this.resize());
    this.resizing.observe(root);
  }

  /** Removes the plot from its element. */
  destroy() {
    this.resizing.disconnect();
    if (this.plot) this.plot.destroy();
  }

  /** Draws `data`, in a new plot if `options` are given. */
  protected draw(data: uPlot.AlignedData, options?: (theme: Theme) => Partial<uPlot.Options>) {
    if (!options && this.plot) return this.plot.setData(data);
    if (this.plot) this.plot.destroy();
    const theme = themeOf(this.root);
    const { series = [], ...rest } = options!(theme);
    this.plot = new uPlot(
      {
        ...this.size(),
        series,
        legend: { show: false },
        cursor: { drag: { x: false, y: false }, points: { show: false } },
        ...rest,
      },
      data,
      this.root,
    );
    // What the plot shows is also in the text beside the plot.
    this.plot.root.setAttribute('aria-hidden', 'true');
  }

  private resize() {
    if (this.plot) this.plot.setSize(this.size());
  }

  private size(): { width: number; height: number } {
    const { clientWidth, clientHeight } = this.root;
    return { width: Math.max(120, clientWidth), height: Math.max(this.height, clientHeight) };
  }
}

/** Items per second over time, in one part for each device. */
export class ThroughputPlot extends Plot {
  private drawn = '';

  /** `pointed` hears the index of the sample under the pointer, or null. */
  constructor(
    root: HTMLElement,
    height: number,
    private readonly pointed: (sample: number | null) => void = () => undefined,
  ) {
    super(root, height);
  }

  update(rates: StackedRates, dark: boolean) {
    const { times, ids, edges } = rates;
    // The highest part is drawn first, and each lower part over it.
    const data = [times, ...edges.slice().reverse()] as uPlot.AlignedData;
    const wanted = [dark, ...ids].join('\n');
    const isNew = wanted !== this.drawn;
    this.drawn = wanted;
    this.draw(data, isNew ? (theme) => this.options(rates, dark, theme) : undefined);
  }

  private options({ ids }: StackedRates, dark: boolean, theme: Theme): Partial<uPlot.Options> {
    const parts = ids.slice().reverse();
    return {
      series: [{}, ...parts.map((id) => partSeries(lookOf(id, dark), theme))],
      axes: [timeAxis(theme), valueAxis(theme, rate)],
      scales: { y: { range: (_, _min, max) => [0, max > 0 ? max * 1.08 : 1] } },
      hooks: { setCursor: [({ cursor }) => this.pointed(cursor.idx ?? null)] },
    };
  }
}

/** Cores that compute, of the cores that are lent, over time. */
export class CoresPlot extends Plot {
  private drawn?: boolean;

  update(samples: HistorySample[], dark: boolean) {
    const data = [
      samples.map(({ time }) => time),
      samples.map(({ cores }) => cores),
      samples.map(({ busyCores }) => busyCores),
    ];
    const isNew = dark !== this.drawn;
    this.drawn = dark;
    this.draw(data as uPlot.AlignedData, isNew ? coresOptions : undefined);
  }
}

function coresOptions(theme: Theme): Partial<uPlot.Options> {
  const steps = uPlot.paths.stepped!({ align: -1 });
  return {
    series: [
      {},
      { stroke: theme.soft, width: 1.5, dash: [4, 3], paths: steps, points: { show: false } },
      { stroke: theme.accent, fill: `${theme.accent}33`, width: 1.5, points: { show: false } },
    ],
    // The plot is low: its marks stand close together.
    axes: [timeAxis(theme), { ...valueAxis(theme, wholeOnly), space: 20 }],
    scales: { y: { range: (_, _min, max) => [0, max > 0 ? max * 1.15 : 1] } },
  };
}

/** Results that are numbers, over the numbers of their items. */
export class NumbersPlot extends Plot {
  private drawn?: boolean;

  update(results: ShownResult[], dark: boolean) {
    const data = [results.map(({ item }) => item), results.map(({ value }) => Number(value))];
    const isNew = dark !== this.drawn;
    this.drawn = dark;
    this.draw(data as uPlot.AlignedData, isNew ? numbersOptions : undefined);
  }
}

function numbersOptions(theme: Theme): Partial<uPlot.Options> {
  return {
    series: [
      {},
      {
        stroke: theme.accent,
        paths: uPlot.paths.points!(),
        points: { show: true, size: 5, stroke: theme.accent, fill: theme.accent },
      },
    ],
    axes: [
      {
        ...axis(theme),
        size: 28,
        values: (_, splits) => splits.map(wholeOnly),
      },
      valueAxis(theme, (n) => String(Number(n.toPrecision(6)))),
    ],
    scales: { x: { time: false } },
  };
}

function partSeries(look: Look, theme: Theme): uPlot.Series {
  return {
    stroke: theme.back,
    width: 1,
    fill: (plot) => fillOf(look, plot.ctx, theme),
    points: { show: false },
  };
}

/** The look as the canvas draws it. */
function fillOf({ colour, stripes }: Look, ctx: CanvasRenderingContext2D, theme: Theme) {
  if (stripes === 'none') return colour;
  const tile = document.createElement('canvas');
  tile.width = tile.height = 12;
  const draw = tile.getContext('2d')!;
  draw.fillStyle = theme.back;
  draw.fillRect(0, 0, 12, 12);
  draw.globalAlpha = 0.45;
  draw.fillStyle = colour;
  draw.fillRect(0, 0, 12, 12);
  draw.globalAlpha = 1;
  draw.strokeStyle = colour;
  draw.lineWidth = 4;
  const [from, to] = stripes === 'rising' ? [12, 0] : [0, 12];
  for (const shift of [-12, 0, 12]) {
    draw.beginPath();
    draw.moveTo(shift - 2, from + (from - to) / 6);
    draw.lineTo(shift + 14, to - (from - to) / 6);
    draw.stroke();
  }
  return ctx.createPattern(tile, 'repeat')!;
}

function axis(theme: Theme): uPlot.Axis {
  return {
    stroke: theme.text,
    font: FONT,
    grid: { stroke: theme.grid, width: 1 },
    ticks: { show: false },
  };
}

function timeAxis(theme: Theme): uPlot.Axis {
  return {
    ...axis(theme),
    grid: { show: false },
    space: 80,
    size: 28,
    values: (_, splits, __, ___, step) => splits.map((time) => clock(time, step < 60)),
  };
}

function valueAxis(theme: Theme, text: (value: number) => string): uPlot.Axis {
  return { ...axis(theme), size: 48, values: (_, splits) => splits.map(text) };
}

/** A mark of an axis for what exists only as a whole. */
function wholeOnly(n: number): string {
  return n % 1 === 0 ? whole(n) : '';
}
