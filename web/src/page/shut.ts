/** A function in the page, and the network closed to it: what the page's policy leaves open where there is no `Connection-Allowlist`. */

/**
 * What TypeScript does not know yet.
 *
 * @spoken by browsers
 */
type Navigate = Event & { destination: { url: string } };

export function shut(): void {
  const page = window as unknown as { navigation?: EventTarget; [name: string]: unknown };
  for (const name of ['RTCPeerConnection', 'webkitRTCPeerConnection', 'SharedWorker']) delete page[name];
  if (!page.navigation) return;
  page.navigation.addEventListener('navigate', (event) => {
    if (new URL((event as Navigate).destination.url).origin !== location.origin) event.preventDefault();
  });
}
