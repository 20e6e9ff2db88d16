import { request } from 'undici'
import { oneRunForAll, type SameKey } from '../checks/one-run.ts'
import { durationFigure } from '../lib/figures.ts'
import { makeOrder, type Order } from '../lib/orders.ts'
import { setScene, type Scene } from '../lib/scene.ts'
import type { Scenario } from '../scenario.ts'

const parallel = 100
const answerTimeoutMs = 60_000

export const idempotency: Scenario = {
  name: 'idempotency',
  describe: `${parallel} parallel POST /run with one Idempotency-Key`,
  async run(context) {
    const scene = await setScene(context)
    const { site, ledger } = scene
    await (
      await site.start()
    ).ready
    const answersMs: number[] = []
    const rounds = context.rounds(5)
    for (let round = 1; round <= rounds; round += 1) {
      scene.model.forget()
      const order = makeOrder(round % 2 === 1 ? 'slow' : 'command', `${context.seed}/${round}`)
      const startedAt = performance.now()
      const answers = await Promise.all(Array.from({ length: parallel }, () => post(scene, order)))
      answersMs.push(performance.now() - startedAt)
      ledger.check(oneRunForAll, [{ answers, ...(await made(scene, order)) }], `round ${round}`)
    }
    const { figures, violations } = ledger.close()
    return { figures: [durationFigure(`until all ${parallel} have their answer`, answersMs), ...figures], violations }
  },
}

async function post({ context, site }: Scene, { body, marker }: Order): Promise<SameKey['answers'][number]> {
  const answer = await request(`${site.url()}/run`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'idempotency-key': marker },
    body: JSON.stringify({ ...body, labels: { order: marker } }),
    headersTimeout: answerTimeoutMs,
    signal: context.signal,
  })
  return { status: answer.statusCode, body: (await answer.body.json()) as Record<string, unknown> }
}

/** How many runs there are in how many sessions, and how often the model was asked to begin. */
async function made({ context, site, model }: Scene, { marker }: Order): Promise<Pick<SameKey, 'runs' | 'begun'>> {
  const answer = await request(`${site.url()}/sessions?label=order=${marker}`, { signal: context.signal })
  const { sessions } = (await answer.body.json()) as { sessions: { session_id: string }[] }
  let runs = 0
  for (const { session_id } of sessions) {
    const session = await request(`${site.url()}/sessions/${session_id}`, { signal: context.signal })
    runs += ((await session.body.json()) as { runs: unknown[] }).runs.length
  }
  const begun = model.calls().filter(({ prompt, turn }) => prompt.includes(marker) && turn === 0).length
  return { runs, begun }
}
