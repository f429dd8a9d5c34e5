/** The message of a timed-out call; core and host use the same text. */
export function timeoutMessage(timeout: number): string {
  return `no answer within ${timeout % 1000 === 0 ? `${timeout / 1000} s` : `${timeout} ms`}`;
}
