// Appends to one run until it is killed, many batches at a time, and prints the last number of each acknowledged batch.
import { createSqliteStore } from '../../src/index.ts'
import { newRun, newSession, noLimit } from '../rows.ts'

const [file = ''] = process.argv.slice(2)
const store = createSqliteStore({ file })
await store.open()
await store.createSession(newSession('s1'), newRun('r1', 's1'), noLimit)
const run = await store.claimRun('r1', { owner: 'child', leaseUntil: 0, at: 0 })
if (!run) throw new Error('the run cannot be claimed')
const fence = { sessionId: 's1', runId: 'r1', epoch: run.epoch }

async function append(writer: number): Promise<never> {
  for (let count = 0; ; count += 1) {
    const text = `${writer}.${count} `.repeat(50)
    const event = { type: 'output', data: { type: 'text', text, part_id: 'p' } } as const
    const { lastSeq } = await store.append(fence, [event, event], 1)
    process.stdout.write(`${lastSeq}\n`)
  }
}

await Promise.all([1, 2, 3, 4, 5, 6, 7, 8].map(append))
