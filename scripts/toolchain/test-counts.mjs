import { join, resolve } from 'node:path'

/** @typedef {{ passed: number, failed: number, skipped: number }} Totals */
/** @typedef {Totals & { failures: string[], skips: { name: string, reason: string }[], emptyFiles: string[] }} Counts */

/** How many failed tests of a package are named again at the end. */
const MAX_FAILURES = 50

/** @returns {Counts} */
export function noCounts() {
  return { passed: 0, failed: 0, skipped: 0, failures: [], skips: [], emptyFiles: [] }
}

/**
 * Adds one event of `node --test`. Counted from the events and not from Node's summary, because the summary calls a
 * test file without tests a passed test and leaves a skipped suite out.
 *
 * @param {Counts} counts
 * @param {{ type: string, data: any }} event
 */
export function countEvent(counts, { type, data }) {
  if (type !== 'test:pass' && type !== 'test:fail') return
  const reason = data.skip ?? data.todo
  if (reason !== undefined) {
    counts.skipped += 1
    counts.skips.push({ name: data.name, reason: typeof reason === 'string' && reason ? reason : 'no reason given' })
    return
  }
  if (data.details?.type === 'suite') return
  if (type === 'test:fail') {
    counts.failed += 1
    if (counts.failures.length < MAX_FAILURES) counts.failures.push(`${data.name} (${data.file}:${data.line})`)
  }
  // A whole file is reported as a test, named by its path, only when no test in it was or when it broke.
  else if (data.nesting === 0 && resolve(data.name) === data.file) counts.emptyFiles.push(data.name)
  else counts.passed += 1
}

/**
 * What makes a run of one package a failure although no test failed.
 *
 * @param {Counts} counts
 * @param {{ ci: boolean }} options
 * @returns {string[]}
 */
export function complaints(counts, { ci }) {
  const problems = counts.emptyFiles.map((name) => `${name} has no test in it.`)
  if (counts.passed + counts.failed + counts.skipped === 0) problems.push('No test ran.')
  if (ci && counts.skipped > 0) problems.push('A skipped test is a failure in CI.')
  return problems
}

/**
 * @param {readonly Totals[]} all
 * @returns {Totals}
 */
export function sum(all) {
  const total = { passed: 0, failed: 0, skipped: 0 }
  for (const { passed, failed, skipped } of all) {
    total.passed += passed
    total.failed += failed
    total.skipped += skipped
  }
  return total
}

/**
 * Where a package leaves its counts.
 *
 * @param {string} countsDir
 * @param {string} packageName
 */
export function countsFile(countsDir, packageName) {
  return join(countsDir, `${packageName.replaceAll('/', '+')}.json`)
}
