/**
 * Closes the network to a function in the page. These parts are open in browsers without
 * `Connection-Allowlist`, despite the page's policy.
 */

/**
 * An event whose type TypeScript lacks.
 *
 * @spoken by browsers
 */
type NavigateEvent = Event & { destination: { url: string } };

export function closeNetwork(): void {
  const page = window as unknown as { navigation?: EventTarget; [name: string]: unknown };
  for (const name of ['RTCPeerConnection', 'webkitRTCPeerConnection', 'SharedWorker'])
    delete page[name];
  if (!page.navigation) return;
  page.navigation.addEventListener('navigate', (event) => {
    if (new URL((event as NavigateEvent).destination.url).origin !== location.origin)
      event.preventDefault();
  });
}
