import { background, lookOf } from '../colours.ts';
import type { ShownResult, Snapshot } from '../data.ts';
import { count, plain, whole } from '../format.ts';
import type { Model } from '../model.ts';
import { NumbersPlot } from '../plots.ts';
import type { ShownResults } from '../results.ts';
import { useEnd, usePlot } from './hooks.ts';
import { Swatch } from './swatch.tsx';

interface Shown {
  model: Model;
  snapshot: Snapshot;
  dark: boolean;
}

/** The results while they come, on request: images, numbers and text, in the order of items. */
export function ResultsCard({ model, snapshot, dark }: Shown) {
  const { results } = model;
  const names = new Map(snapshot.devices.map(({ id, name }) => [id, name]));
  return (
    <section class="card results" aria-labelledby="results">
      <h2 id="results">Results</h2>
      <button
        class="quiet"
        aria-expanded={results !== undefined}
        onClick={() => (results ? model.hideResults() : model.showResults())}
      >
        {results ? 'Hide results' : 'Show results'}
      </button>
      {results && <Lists {...{ results, names, dark }} />}
    </section>
  );
}

type Names = Map<string, string>;

function Lists({ results, names, dark }: { results: ShownResults; names: Names; dark: boolean }) {
  const { images, numbers, texts, lost } = results;
  const isEmpty = images.length + numbers.length + texts.length === 0;
  return (
    <>
      {isEmpty && <p class="soft">The next results appear here.</p>}
      {lost > 0 && (
        <p class="soft">
          {count(lost, 'result')} came too quickly for this page, and {lost === 1 ? 'is' : 'are'}{' '}
          not shown here. The output of the run has all results.
        </p>
      )}
      {images.length > 0 && <FilmStrip {...{ images, names, dark }} />}
      {numbers.length > 0 && <Numbers {...{ numbers, dark }} version={results.version} />}
      {texts.length > 0 && <Texts {...{ texts, names, dark }} />}
    </>
  );
}

/** Images in frames; the frame has the look of the device that made the image. */
function FilmStrip(props: { images: ShownResult[]; names: Names; dark: boolean }) {
  const { images, names, dark } = props;
  const list = useEnd<HTMLOListElement>();
  return (
    <ol class="scroll film" ref={list} tabIndex={0} aria-label="Results that are images">
      {images.map(({ item, device, value }) => {
        const label = `Item ${whole(item)}, by ${plain(names.get(device) || 'a device')}`;
        return (
          <li key={item} title={label} style={{ background: background(lookOf(device, dark)) }}>
            <img src={String(value)} alt={label} decoding="async" />
          </li>
        );
      })}
    </ol>
  );
}

function Numbers(props: { numbers: ShownResult[]; dark: boolean; version: number }) {
  const { numbers, dark, version } = props;
  const root = usePlot(
    (root) => new NumbersPlot(root, 240),
    (plot) => plot.update(numbers, dark),
    [version, dark],
  );
  const last = numbers[numbers.length - 1];
  return (
    <>
      <p class="soft">
        {count(numbers.length, 'number')} over the numbers of their items; item {whole(last.item)}:{' '}
        <span class="value">{String(last.value)}</span>
      </p>
      <div class="plot" ref={root} />
    </>
  );
}

function Texts(props: { texts: ShownResult[]; names: Names; dark: boolean }) {
  const { texts, names, dark } = props;
  const list = useEnd<HTMLOListElement>();
  return (
    <ol class="scroll log" ref={list} tabIndex={0} aria-label="Results that are text">
      {texts.map(({ item, device, value }) => (
        <li key={item}>
          <span class="where">
            <Swatch id={device} dark={dark} /> {whole(item)} <bdi>{names.get(device) || ''}</bdi>
          </span>
          <bdi class="text">{String(value)}</bdi>
        </li>
      ))}
    </ol>
  );
}
