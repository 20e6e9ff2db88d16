// Reporter for `node --test`: the spec output, then why each test was skipped and what makes the run a failure.
// With TEST_COUNTS_DIR set it also leaves this package's counts there, for the sum over all packages.
import { writeFileSync } from 'node:fs'
import { spec } from 'node:test/reporters'
import { complaints, countEvent, countsFile, noCounts } from './toolchain/test-counts.mjs'

/** @param {AsyncIterable<{ type: string, data: any }>} source */
export default async function* testReporter(source) {
  const format = new spec()
  const counts = noCounts()
  for await (const event of source) {
    countEvent(counts, event)
    format.write(event)
    for (let text = format.read(); text !== null; text = format.read()) yield text
  }
  format.end()
  for await (const text of format) yield text

  for (const { name, reason } of counts.skips) yield `SKIPPED ${name} (${reason})\n`
  const problems = complaints(counts, { ci: process.env.CI === 'true' })
  for (const problem of problems) yield `${problem}\n`
  if (problems.length > 0) process.exitCode = 1

  const { TEST_COUNTS_DIR: countsDir, npm_package_name: packageName = 'tests' } = process.env
  if (countsDir) writeFileSync(countsFile(countsDir, packageName), JSON.stringify(counts))
}
