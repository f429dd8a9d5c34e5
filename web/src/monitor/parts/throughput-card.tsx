import { useMemo, useState } from 'preact/hooks';
import type { DeviceFigures, HistoryData, HistorySample, Snapshot } from '../data.ts';
import { clock, rate, whole } from '../format.ts';
import { CoresPlot, ThroughputPlot } from '../plots.ts';
import { partRates, stackedRates } from '../series.ts';
import { usePlot } from './hooks.ts';
import { Swatch } from './swatch.tsx';

/** Throughput over time by device, and the cores that compute of the cores that are lent. */
export function ThroughputCard(props: { snapshot: Snapshot; history: HistoryData; dark: boolean }) {
  const { snapshot, history, dark } = props;
  const { samples } = history;
  const [pointed, setPointed] = useState<number | null>(null);
  const last = samples[samples.length - 1];
  const sample = (pointed !== null && samples[pointed]) || last;
  return (
    <section class="card throughput" aria-labelledby="throughput">
      <h2 id="throughput">Throughput</h2>
      {samples.length < 2 ? (
        <p class="soft">The plot begins after two seconds.</p>
      ) : (
        <>
          <p class="soft moment">
            <span class="value">{rate(sample.perSecond)} items/s</span>{' '}
            {sample === last ? 'now' : `at ${clock(sample.time)}`}
          </p>
          <Throughput {...{ samples, dark, setPointed }} />
          <Legend {...{ samples, sample, dark }} devices={snapshot.devices} />
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
  samples: HistorySample[];
  dark: boolean;
  setPointed: (sample: number | null) => void;
}) {
  const { samples, dark, setPointed } = props;
  const root = usePlot(
    (root) => new ThroughputPlot(root, 230, setPointed),
    (plot) => plot.update(samples, dark),
    [samples, dark],
  );
  return <div class="plot" ref={root} />;
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
  samples: HistorySample[];
  sample: HistorySample;
  devices: DeviceFigures[];
  dark: boolean;
}) {
  const { samples, sample, devices, dark } = props;
  const ids = useMemo(() => stackedRates(samples).ids, [samples]);
  const names = useMemo(() => new Map(devices.map(({ id, name }) => [id, name])), [devices]);
  const rates = partRates(ids, sample);
  return (
    <ul class="legend" aria-label="Items per second by device">
      {ids.map((id, part) => (
        <li key={id}>
          <Swatch id={id} dark={dark} />
          <bdi>{id === '' ? 'other devices' : names.get(id) || 'a device that has left'}</bdi>{' '}
          <span class="value">{rate(rates[part])}</span>
        </li>
      ))}
    </ul>
  );
}
