// What this machine lacks for the gateway, and how to put it right. Looks at the same variables the gateway reads.
//   doctor [--json]
// Exit code 0 when nothing needed is missing, otherwise 1.
import { parseArgs } from 'node:util'
import { checks, type Finding } from './doctor-checks.ts'

const { values } = parseArgs({ options: { json: { type: 'boolean', default: false } } })
const findings: ({ check: string } & Finding)[] = []
for (const [check, look] of Object.entries(checks)) findings.push({ check, ...(await look(process.env)) })

if (values.json) console.log(JSON.stringify(findings, null, 2))
else
  for (const { check, state, seen, fix } of findings) {
    console.log(`${state.padEnd(7)} ${check}: ${seen}`)
    if (fix !== undefined) console.log(`        → ${fix}`)
  }
process.exitCode = findings.some(({ state }) => state === 'missing') ? 1 : 0
