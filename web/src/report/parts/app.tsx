import { count, duration, plain, progressText, rate, whole } from '../../monitor/format.ts';
import { Figure } from '../../monitor/parts/progress-card.tsx';
import { Titles } from '../../monitor/parts/titles.tsx';
import { dateAndTime } from '../axes.ts';
import type { ReportData } from '../data.ts';
import { DeviceFiguresTable, Timelines } from './devices.tsx';
import { FailedAttempts } from './failures.tsx';
import { LostTime } from './lost-time.tsx';
import { PlotsCard } from './plots-card.tsx';

/** The whole report. */
export function Report({ data, dark }: { data: ReportData; dark: boolean }) {
  const { title, from } = data.snapshot;
  return (
    <>
      <header class="top">
        <Titles brand="Pando report" title={title} from={from} />
      </header>
      <main class="cards">
        <Results data={data} />
        <WhatRan data={data} />
        <PlotsCard data={data} dark={dark} />
        <LostTime data={data} />
        <DeviceFiguresTable data={data} dark={dark} />
        <Timelines data={data} dark={dark} />
        <FailedAttempts data={data} />
      </main>
    </>
  );
}

/** The figures of the summary. */
function Results({ data }: { data: ReportData }) {
  const { snapshot, summary } = data;
  const { computed, earlier, failed, seconds, timesOneCore } = summary;
  return (
    <section class="card results-of-run" aria-labelledby="results">
      <h2 id="results" class="unseen">
        Results
      </h2>
      <p class="done">{progressText(snapshot.progress)}</p>
      <p class={summary.status === 0 ? 'words' : 'words why'}>{plain(snapshot.exitWords)}</p>
      {summary.advice && <p class="words">{plain(summary.advice)}</p>}
      <dl class="figures">
        <Figure name="Time">{duration(seconds)}</Figure>
        <Figure name="Items/s">{rate(summary.perSecond)}</Figure>
        <Figure name="Speed">
          {rate(timesOneCore)} <small>times one core</small>
        </Figure>
        <Figure name="Computed">
          {whole(computed)} {earlier > 0 && <small>{whole(earlier)} in an earlier run</small>}
        </Figure>
        <Figure name="Failed">
          {whole(failed)} <small>{count(summary.failedAttempts, 'failed attempt')}</small>
        </Figure>
        <Figure name="Helped by">{count(snapshot.devices.length, 'device')}</Figure>
      </dl>
    </section>
  );
}

/** What ran, and with what. */
function WhatRan({ data }: { data: ReportData }) {
  const { snapshot, summary, ingredients } = data;
  const isLocal = snapshot.devices.some(({ path }) => path === 'local');
  const browsers = new Set(snapshot.devices.map(({ browser }) => browser).filter(Boolean));
  const facts = [
    ['Command', snapshot.command],
    ['Function', ingredients.function],
    ['Pando', `${snapshot.version} on ${ingredients.system}`],
    ["This machine's cores", isLocal ? ingredients.engine : ''],
    ['Browsers', [...browsers].sort().join(', ')],
    ['Began', dateAndTime(snapshot.started)],
    ['Ended', dateAndTime(snapshot.now)],
    ['Exit status', String(summary.status)],
  ];
  return (
    <section class="card what-ran" aria-labelledby="what-ran">
      <h2 id="what-ran">What ran</h2>
      <dl>
        {facts
          .filter(([, text]) => text)
          .map(([name, text]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd class={name.toLowerCase()}>
                <bdi>{text}</bdi>
              </dd>
            </div>
          ))}
      </dl>
    </section>
  );
}
