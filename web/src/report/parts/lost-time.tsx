import { duration, percent, precise } from '../../monitor/format.ts';
import type { IdleCause, ReportData } from '../data.ts';

/** What each cause means, in a few words and in a sentence. */
const CAUSES: { [cause in IdleCause]: [name: string, meaning: string] } = {
  input: ['Waiting for input', 'No further value had come from the input.'],
  reader: [
    'Waiting for the reader',
    'Results waited for the reader of the output, so that no value could be read.',
  ],
  order: ['Order of the output', 'The window was full: all results waited for one earlier item.'],
  end: ['No value left', 'The input had ended, and all its values were lent or done.'],
  aside: ['Devices aside', 'Devices rested or stood back after failures or silence.'],
  failures: [
    'Values that came back',
    'Values that failed or came back waited for devices that may compute them.',
  ],
  devices: [
    'Other devices',
    'By --copies or --verify, values waited for devices other than those that were connected.',
  ],
  confirm: ['Checks of results', 'The command of --confirm checked results.'],
  network: [
    'Network and starts',
    'Cores had a value and computed nothing: messages were under way, the function was loading, or a call never ended because its device left.',
  ],
};

/** Where the time of the cores went. */
export function LostTime({ data }: { data: ReportData }) {
  const { coreSeconds, idleCoreSeconds } = data.summary;
  const share = (seconds: number) => seconds / Math.max(coreSeconds, 0.001);
  const rows = [
    {
      cause: 'computed',
      name: 'Computing',
      meaning: 'Calls that have ended.',
      seconds: coreSeconds - idleCoreSeconds,
    },
    ...data.idle.map(({ cause, seconds }) => {
      const [name, meaning] = CAUSES[cause];
      return { cause, name, meaning, seconds };
    }),
  ];
  return (
    <section class="card lost-time" aria-labelledby="lost-time">
      <h2 id="lost-time">
        Where the time of the cores went{' '}
        <span class="soft">
          {coreTime(coreSeconds)} of cores lent, {coreTime(idleCoreSeconds)} idle
        </span>
      </h2>
      <div class="scroll" tabIndex={0} role="group" aria-label="The time of the cores">
        <table role="table">
          <thead role="rowgroup">
            <tr role="row">
              <th role="columnheader" scope="col">
                Part
              </th>
              <th role="columnheader" scope="col" class="number">
                Core time
              </th>
              <th role="columnheader" scope="col" class="number">
                Share
              </th>
              <th role="columnheader" scope="col">
                Meaning
              </th>
            </tr>
          </thead>
          <tbody role="rowgroup">
            {rows.map(({ cause, name, meaning, seconds }) => (
              <tr key={cause} role="row" class={cause}>
                <th role="rowheader" scope="row">
                  {name}
                  <div class="portion" aria-hidden="true">
                    <div style={{ width: `${share(seconds) * 100}%` }} />
                  </div>
                </th>
                <td role="cell" class="number">
                  {coreTime(seconds)}
                </td>
                <td role="cell" class="number">
                  {percent(share(seconds))}
                </td>
                <td role="cell" class="meaning">
                  {meaning}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <p class="soft">
        The idle time is measured. Its causes were sampled once a second, so the parts are
        estimates; they add up to the idle time.
      </p>
    </section>
  );
}

function coreTime(seconds: number): string {
  return seconds < 60 ? precise(seconds) : duration(seconds);
}
