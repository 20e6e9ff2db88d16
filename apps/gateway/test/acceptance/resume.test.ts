import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { createFakeEngine, lines } from '@opencode-gateway/executor-testing'
import { idsOf, type Frame } from '../event-source.ts'
import { startGateway, temporaryDirectory, type Gateway } from '../gateway.ts'
import { createRawClient, readRaw } from '../raw-stream.ts'

const LIMIT = { timeout: 60_000 }
const upTo = (last: number) => Array.from({ length: last }, (_, index) => index + 1)

/** Commands in one call: every one is two events. */
const commands = (count: number, text: string) =>
  upTo(count).map((index) => lines.together(lines.run(`echo '${text} ${index}'`)))

async function begin({ call }: Gateway, prompt: readonly string[]): Promise<string> {
  const made = await call('POST', '/sessions', { prompt: prompt.join('\n') })
  assert.equal(made.status, 201, made.text)
  return String(made.json().session_id)
}

/** The whole log as the JSON pages have it. */
async function logOf({ call }: Gateway, id: string): Promise<Frame[]> {
  const frames: Frame[] = []
  for (let after = 0, more = true; more;) {
    const page = (await call('GET', `/sessions/${id}/events?after=${after}&limit=1000`)).json()
    assert.ok(Array.isArray(page.events))
    frames.push(...page.events)
    more = page.events.length > 0
    after = Number(page.next_after)
  }
  return frames
}

test(
  'B3: a stream of 200 events that breaks off after any byte is continued without a gap or a double',
  LIMIT,
  async (t) => {
    const gateway = await startGateway(t, { executor: { instant: true } })
    const id = await begin(gateway, [lines.say('ünï 漢字 😀'), ...commands(98, '😀'), lines.say('end')])
    const url = `${gateway.url}/sessions/${id}/stream`
    const { signal } = t
    const live = await readRaw(url, { signal })
    const log = await logOf(gateway, id)
    assert.ok(log.length >= 200, `${log.length} events`)
    assert.deepEqual(live.client.frames, log)
    assert.deepEqual(idsOf(log), upTo(log.length))

    // Byte by byte: what a client has that was cut off there.
    const { bytes } = await readRaw(url, { signal })
    const client = createRawClient()
    const cutAt: number[] = []
    for (let offset = 0; offset < bytes.length; offset += 1) {
      client.feed(bytes.subarray(offset, offset + 1))
      const seen = client.frames.length
      cutAt[seen] ??= offset + 1
      assert.equal(client.frames.at(-1)?.id ?? 0, seen, `after ${offset + 1} bytes`)
    }
    assert.deepEqual(client.frames, log)

    // All cuts between two events leave the client with the same events: one of them is made for real.
    for (const seen of log.keys()) {
      const maxBytes = cutInside(cutAt, seen)
      const first = await readRaw(url, { maxBytes, signal })
      assert.equal(first.end, 'hung up')
      assert.equal(first.client.frames.length, seen)
      const rest = await readRaw(url, { lastEventId: seen, signal })
      assert.deepEqual([...first.client.frames, ...rest.client.frames], log, `cut after ${maxBytes} bytes`)
    }
    const nothing = await readRaw(url, { lastEventId: log.length, signal })
    assert.equal(nothing.client.status(), 204)
  },
)

/** A place between two events, another one every time. */
function cutInside(cutAt: readonly number[], seen: number): number {
  const from = cutAt[seen] ?? 1
  const to = cutAt[seen + 1] ?? from + 1
  return from + ((seen * 37) % (to - from))
}

const RUNS = 90
const COMMANDS = 60
const CUTS = 50

test(
  'B3: a log of 10 000 events cut at 50 places, and by a restart, is read whole while it is written',
  LIMIT,
  async (t) => {
    const dataDir = await temporaryDirectory(t)
    const engine = createFakeEngine()
    const options = {
      dataDir,
      executor: { engine, instant: true },
      env: { RATE_LIMIT_MAX: '1000000', MAX_QUEUED_RUNS_PER_SESSION: '100' },
    }
    const first = await startGateway(t, options)
    const prompt = commands(COMMANDS, 'x')
    const id = await begin(first, [lines.gate('begin'), ...prompt])
    for (const run of upTo(RUNS)) {
      const middle = run === RUNS / 2 ? [lines.say('half way'), lines.run('true'), lines.gate('middle')] : []
      const sent = await first.call('POST', `/sessions/${id}/messages`, { prompt: [...middle, ...prompt].join('\n') })
      assert.equal(sent.status, 202, sent.text)
    }
    const random = seeded(20_261_120)
    const frames: Frame[] = []

    first.executor.release('begin')
    await readOn(t, `${first.url}/sessions/${id}/stream`, frames, random)
    await readRest(t, `${first.url}/sessions/${id}/stream`, frames, ({ data }) => data['text'] === 'half way')
    await first.executor.waitForGate('middle', t.signal)
    await first.close()

    const second = await startGateway(t, options)
    second.executor.release('middle')
    await readOn(t, `${second.url}/sessions/${id}/stream`, frames, random)
    await readRest(t, `${second.url}/sessions/${id}/stream`, frames)

    assert.ok(frames.length > 10_000, `${frames.length} events`)
    assert.deepEqual(idsOf(frames), upTo(frames.length))
    assert.deepEqual(frames, await logOf(second, id))
    assert.equal(frames.filter(({ event }) => event === 'complete').length, RUNS + 1)
  },
)

/** Half of the cuts: reads on after what is there, and hangs up somewhere. */
async function readOn(t: TestContext, url: string, frames: Frame[], random: () => number): Promise<void> {
  for (let cut = 0; cut < CUTS / 2; cut += 1) {
    const maxBytes = 1 + Math.floor(random() * 25_000)
    const read = await readRaw(url, { lastEventId: frames.length, maxBytes, signal: t.signal })
    assert.equal(read.end, 'hung up', `status ${read.client.status()} after ${frames.length} events`)
    frames.push(...read.client.frames)
  }
}

async function readRest(
  t: TestContext,
  url: string,
  frames: Frame[],
  until?: (frame: Frame) => boolean,
): Promise<void> {
  const { signal } = t
  const { client } = await readRaw(url, { lastEventId: frames.length, signal, ...(until ? { until } : {}) })
  frames.push(...client.frames)
}

/** Numbers from 0 to 1 that are the same every time. */
function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}
