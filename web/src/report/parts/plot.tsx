import type { Look } from '../../monitor/colours.ts';
import type { HistoryData } from '../../monitor/data.ts';
import { type Mark, timeMarks, valueMarks } from '../axes.ts';

/** The size of the drawing, which is stretched to the size of its element. */
const WIDTH = 1000;
const HEIGHT = 240;

/** The most letters of marks side by side on a phone; of more marks, a phone shows every second. */
const PHONE_LETTERS = 32;

/** A part of a plot: the area below its level, or the line along it. */
export interface PlotPart {
  /** The level during each sample. */
  levels: number[];
  /** Where the area begins; 0 if not given. */
  from?: number[];
  look?: Look;
  class?: string;
}

interface Shown {
  /** The begin of ids on the page. */
  name: string;
  /** What the plot shows, for people who do not see it. */
  label: string;
  history: HistoryData;
  /** The begin and the end of the run. */
  range: [number, number];
  parts: PlotPart[];
  text: (value: number) => string;
}

/** Levels over time. A sample is a step as wide as the time that it stands for. */
export function Plot({ name, label, history, range, parts, text }: Shown) {
  const [from, until] = range;
  const most = Math.max(0, ...parts.flatMap(({ levels }) => levels));
  const [top, values] = valueMarks(most, text);
  const across = (time: number) => ((time - from) / Math.max(until - from, 0.001)) * WIDTH;
  const edges = edgesOf(history).map((time) => Math.min(WIDTH, Math.max(0, across(time))));
  const up = (level: number) => HEIGHT - (level / top) * HEIGHT;
  return (
    <div class="chart" role="img" aria-label={label}>
      <Marks name="values" side="bottom" marks={values} />
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
        {values.map(({ place }) => (
          <path class="grid" d={`M0 ${HEIGHT * (1 - place)}H${WIDTH}`} />
        ))}
        {parts.map((part, at) => (
          <Part key={at} name={`${name}-${at}`} {...{ part, edges, up }} />
        ))}
      </svg>
      <Marks name="times" side="left" marks={timeMarks(from, until)} />
    </div>
  );
}

function Part(props: {
  /** An id on the page. */
  name: string;
  part: PlotPart;
  edges: number[];
  up: (level: number) => number;
}) {
  const { name, part, edges, up } = props;
  const top = steps(edges, part.levels.map(up));
  if (!part.look) return <path class={part.class} d={`M${top}`} />;
  const base = steps(edges, part.from ? part.from.map(up) : part.levels.map(() => up(0)));
  const area = `M${top}L${base.split('L').reverse().join('L')}Z`;
  const { colour, stripes } = part.look;
  if (stripes === 'none') return <path class={part.class} fill={colour} d={area} />;
  return (
    <>
      <pattern
        id={name}
        width="8"
        height="8"
        patternUnits="userSpaceOnUse"
        patternTransform={`rotate(${stripes === 'rising' ? 45 : -45})`}
      >
        <rect width="8" height="8" fill={colour} opacity="0.45" />
        <rect width="4" height="8" fill={colour} />
      </pattern>
      <path class={part.class} fill={`url(#${name})`} d={area} />
    </>
  );
}

function Marks({ name, side, marks }: { name: string; side: 'left' | 'bottom'; marks: Mark[] }) {
  const letters = marks.reduce((sum, { text }) => sum + text.length, 0);
  return (
    <div class={`marks ${name} ${letters > PHONE_LETTERS ? 'many' : ''}`} aria-hidden="true">
      {marks.map(({ place, text }) => (
        <span key={place} style={{ [side]: `${place * 100}%` }}>
          {text}
        </span>
      ))}
    </div>
  );
}

/** The times at which samples begin and end. */
function edgesOf({ interval, samples }: HistoryData): number[] {
  return [samples[0].time - interval, ...samples.map(({ time }) => time)];
}

/** Points along the steps, for a path. */
function steps(edges: number[], heights: number[]): string {
  const point = (x: number, y: number) => `${x.toFixed(1)} ${y.toFixed(1)}`;
  const ends = heights.map((y, at) => `${point(edges[at], y)}L${point(edges[at + 1], y)}`);
  return ends.join('L');
}
