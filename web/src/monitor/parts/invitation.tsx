import type { Snapshot } from '../data.ts';
import { QrCode } from './qr-code.tsx';

/** How a further device joins: large, while no device has joined. */
export function Invitation({ snapshot, isLarge }: { snapshot: Snapshot; isLarge: boolean }) {
  const [url, ...others] = snapshot.volunteerUrls;
  return (
    <section
      class={isLarge ? 'card invitation large' : 'card invitation'}
      aria-labelledby="invitation"
    >
      {url && <QrCode text={url} />}
      <div>
        <h2 id="invitation">{isLarge ? 'Add the first device' : 'Add a device'}</h2>
        {url ? (
          <>
            <p>
              Scan the code, or open this address{isLarge && ' on a phone, a tablet or a computer'}:
            </p>
            <p class="url">
              <VolunteerLink url={url} />
            </p>
            {others.length > 0 && <OtherAddresses urls={others} />}
          </>
        ) : (
          <p>This run uses only the cores of its own machine.</p>
        )}
      </div>
    </section>
  );
}

function OtherAddresses({ urls }: { urls: string[] }) {
  return (
    <details>
      <summary>Other addresses</summary>
      <ul>
        {urls.map((url) => (
          <li key={url}>
            <VolunteerLink url={url} />
          </li>
        ))}
      </ul>
    </details>
  );
}

/** A link that breaks after its slashes, if it must break. */
export function VolunteerLink({ url }: { url: string }) {
  return (
    <a href={url} target="_blank" rel="noopener noreferrer">
      {(url.match(/[^/]*\/+|[^/]+$/g) || []).map((part) => (
        <>
          {part}
          <wbr />
        </>
      ))}
    </a>
  );
}
