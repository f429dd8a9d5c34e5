/** The words of a time-out, whoever ends the call. */
export function timeoutMessage(timeout: number): string {
  return `no answer within ${timeout % 1000 === 0 ? `${timeout / 1000} s` : `${timeout} ms`}`;
}
