// What this machine lacks for the gateway, and how to put it right. Looks at the variables that the gateway reads. Needs
// nothing but Node 20: it is for machines on which nothing is installed yet.
//   doctor [--json]
// Exit code 0 when nothing needed is missing, otherwise 1; 64 for a command line that is none of its.
import { parseArgs } from 'node:util'
import { checks } from './checks.mjs'

const EX_USAGE = 64

try {
  const { values } = parseArgs({ options: { json: { type: 'boolean', default: false } } })
  process.exitCode = await diagnose(values.json)
} catch (error) {
  if (!String(Object(error).code).startsWith('ERR_PARSE_ARGS_')) throw error
  console.error(`doctor: ${Object(error).message}; usage: doctor [--json]`)
  process.exitCode = EX_USAGE
}

/** @param {boolean} asJson */
async function diagnose(asJson) {
  const findings = []
  for (const [check, look] of Object.entries(checks)) {
    /** @type {import('./finding.mjs').Finding} */
    let found
    try {
      found = await look(process.env)
    } catch (error) {
      found = { state: 'careful', seen: `could not be looked at: ${String(error)}`, fix: 'look at it yourself' }
    }
    findings.push({ check, ...found })
  }
  if (asJson) console.log(JSON.stringify(findings, null, 2))
  else
    for (const { check, state, seen, fix } of findings) {
      console.log(`${state.padEnd(7)} ${check}: ${seen}`)
      if (fix !== undefined) console.log(`        → ${fix}`)
    }
  return findings.some(({ state }) => state === 'missing') ? 1 : 0
}
