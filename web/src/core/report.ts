import { failureMessage } from './inspect.ts';

/** The most characters of a report's JSON form. */
const LONGEST_REPORT = 10_000;

/**
 * The JSON form of a report, replaced by an error if there is none or if the report is too long.
 */
export function plainReport(report: unknown): unknown {
  try {
    const text = JSON.stringify(report) || 'null';
    if (text.length > LONGEST_REPORT) throw 'it is too long';
    return JSON.parse(text);
  } catch (error) {
    return { error: `the report has no JSON form: ${failureMessage(error)}` };
  }
}
