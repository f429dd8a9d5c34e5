import { useMemo, useState } from 'preact/hooks';
import type { DeviceFigures, HistoryData, HistorySample, Snapshot } from '../data.ts';
import { clock, rate, whole } from '../format.ts';
import { CoresPlot, ThroughputPlot } from '../plots.ts';
import { partName, stackedRates, type StackedRates } from '../series.ts';
import { usePlot } from './hooks.ts';
import { Swatch } from './swatch.tsx';

/** Throughput over time by device, and the cores that compute of the cores that are lent. */
export function ThroughputCard(props: { snapshot: Snapshot; history: HistoryData; dark: boolean }) {
  const { snapshot, history, dark } = props;
  const { samples } = history;
  const [pointed, setPointed] = useState<number | null>(null);
  const rates = useMemo(() => stackedRates(samples), [samples]);
  const last = samples.length - 1;
  const lastMoment = snapshot.state === 'finished' ? 'at the end' : 'now';
  const at = pointed !== null && pointed < last ? pointed : last;
  const sample = samples[at];
  return (
    <section class="card throughput" aria-labelledby="throughput">
      <h2 id="throughput">Throughput</h2>
      {samples.length < 2 ? (
        <p class="soft">The plot begins after two seconds.</p>
      ) : (
        <>
          <p class="soft moment">
            <span class="value">{rate(sample.perSecond)} items/s</span>{' '}
            {at === last ? lastMoment : `at ${clock(sample.time)}`}
          </p>
          <Throughput {...{ rates, dark, setPointed }} />
          <Legend {...{ rates, at, dark }} devices={snapshot.devices} />
          <h3>
            Cores busy of cores lent{' '}
            <span class="value">
              {rate(sample.busyCores)} of {whole(sample.cores)}
            </span>
          </h3>
          <Cores {...{ samples, dark }} />
        </>
      )}
    </section>
  );
}

function Throughput(props: {
  rates: StackedRates;
  dark: boolean;
  setPointed: (sample: number | null) => void;
}) {
  const { rates, dark, setPointed } = props;
  const root = usePlot(
    (root) => new ThroughputPlot(root, 230, setPointed),
    (plot) => plot.update(rates, dark),
    [rates, dark],
  );
  return <div class="plot main" ref={root} />;
}

function Cores({ samples, dark }: { samples: HistorySample[]; dark: boolean }) {
  const root = usePlot(
    (root) => new CoresPlot(root, 96),
    (plot) => plot.update(samples, dark),
    [samples, dark],
  );
  return <div class="plot" ref={root} />;
}

/** The parts of the plot by name, with their rates: the figures of the plot as text. */
function Legend(props: {
  rates: StackedRates;
  /** The number of the sample. */
  at: number;
  devices: DeviceFigures[];
  dark: boolean;
}) {
  const { rates, at, devices, dark } = props;
  const names = useMemo(() => new Map(devices.map(({ id, name }) => [id, name])), [devices]);
  return (
    <ul class="legend" aria-label="Items per second by device">
      {rates.ids.map((id, part) => (
        <li key={id}>
          <Swatch id={id} dark={dark} />
          <bdi>{partName(id, names, rates.ids)}</bdi>{' '}
          <span class="value">{rate(rates.rates[part][at])}</span>
        </li>
      ))}
    </ul>
  );
}
