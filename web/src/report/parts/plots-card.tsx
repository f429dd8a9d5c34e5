import { lookOf } from '../../monitor/colours.ts';
import { duration, rate, whole } from '../../monitor/format.ts';
import { Swatch } from '../../monitor/parts/swatch.tsx';
import { partName, stackedRates } from '../../monitor/series.ts';
import type { ReportData } from '../data.ts';
import { Plot } from './plot.tsx';

/** Throughput over time by device, and the cores that compute of the cores that are lent. */
export function PlotsCard({ data, dark }: { data: ReportData; dark: boolean }) {
  const { history, snapshot } = data;
  const { samples } = history;
  if (samples.length === 0) {
    return (
      <section class="card" aria-labelledby="over-time">
        <h2 id="over-time">Over time</h2>
        <p class="soft">The run was too short for plots, which have one step per second.</p>
      </section>
    );
  }
  const { ids, edges } = stackedRates(samples);
  const names = new Map(snapshot.devices.map(({ id, name }) => [id, name]));
  const items = new Map(snapshot.devices.map(({ id, items }) => [id, items]));
  const range: [number, number] = [snapshot.started, snapshot.now];
  const parts = edges.map((levels, at) => ({
    levels,
    from: edges[at - 1],
    look: lookOf(ids[at], dark),
    class: 'area',
  }));
  const most = Math.max(...samples.map(({ perSecond }) => perSecond));
  return (
    <>
      <section class="card" aria-labelledby="throughput">
        <h2 id="throughput">
          Items per second, by device{' '}
          <span class="soft">
            {rate(data.summary.perSecond)} on average, {rate(most)} at most in{' '}
            {duration(history.interval)}
          </span>
        </h2>
        <Plot
          name="rate"
          label="Items per second over time, by device"
          text={(perSecond) => rate(perSecond).replace(/\.0$/, '')}
          {...{ history, range, parts }}
        />
        <ul class="legend" aria-label="Items by device">
          {ids.map((id) => (
            <li key={id}>
              <Swatch id={id} dark={dark} />
              <bdi>{partName(id, names, ids)}</bdi>{' '}
              {items.has(id) && <span class="value">{whole(items.get(id)!)}</span>}
            </li>
          ))}
        </ul>
      </section>
      <Cores data={data} range={range} />
    </>
  );
}

function Cores({ data, range }: { data: ReportData; range: [number, number] }) {
  const { samples } = data.history;
  const parts = [
    { levels: samples.map(({ busyCores }) => busyCores), look: STRONG, class: 'busy' },
    { levels: samples.map(({ cores }) => cores), class: 'lent' },
  ];
  return (
    <section class="card" aria-labelledby="cores">
      <h2 id="cores">
        Cores with a value, of cores lent{' '}
        <span class="soft">{rate(data.summary.timesOneCore)} computed on average</span>
      </h2>
      <Plot
        name="cores"
        label="Cores with a value and cores lent, over time"
        history={data.history}
        text={(cores) => (cores % 1 === 0 ? whole(cores) : '')}
        {...{ range, parts }}
      />
      <p class="soft">The dashed line shows the cores that were lent.</p>
    </section>
  );
}

const STRONG = { colour: 'var(--strong)', stripes: 'none' as const };
