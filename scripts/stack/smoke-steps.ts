import { randomBytes } from 'node:crypto'
import type { GatewayApi } from './gateway-api.ts'

export interface SmokeStep {
  name: string
  /** Settles with what was seen; throws when it is not what has to be seen. */
  run(seen: Seen): Promise<unknown>
}

/** What earlier steps found out. */
export interface Seen {
  sessionId?: string
  workspace?: string
}

const MARKER = `smoke-${randomBytes(6).toString('hex')}`

/** In this order; each stands on those before. `secrets` must not be seen in what the gateway says of itself. */
export function smokeSteps(api: GatewayApi, secrets: readonly string[]): readonly SmokeStep[] {
  const shell = (seen: Seen, command: string) => api.shell(seen.sessionId ?? '', command)
  return [
    {
      name: 'identity',
      async run() {
        const identity = await api.get('/capabilities')
        const shown = JSON.stringify(identity)
        if (secrets.some((secret) => shown.includes(secret)))
          throw new Error('a value of the environment is in /capabilities')
        const { executor, engine } = Object(identity)
        expect(/^\d+\.\d+\./.test(engine?.version), 'no version of an engine: is the gateway ready?', engine)
        expect(
          executor?.isolation !== 'container' || /(?:^|@)sha256:[0-9a-f]{64}$/.test(engine.image),
          'no digest of the image of its containers:',
          engine,
        )
        return identity
      },
    },
    { name: 'readiness', run: () => api.get('/ready') },
    {
      name: 'session',
      async run(seen) {
        seen.sessionId = await api.makeSession()
        return { sessionId: seen.sessionId }
      },
    },
    {
      name: 'echo',
      async run(seen) {
        const result = await shell(seen, `echo ${MARKER}`)
        expect(result.exitCode === 0 && result.output.includes(MARKER), `"${MARKER}" is not in`, result)
        return result
      },
    },
    {
      name: 'pwd',
      async run(seen) {
        const { workspace } = await api.session(seen.sessionId ?? '')
        const result = await shell(seen, 'pwd -P')
        expect(
          workspace === null || workspace === undefined || result.output.trim() === workspace,
          `"${workspace}" is not`,
          result,
        )
        seen.workspace = result.output.trim()
        return result
      },
    },
    {
      name: 'files',
      async run(seen) {
        await shell(seen, `echo ${MARKER} > ${MARKER}.txt`)
        const listed = await api.get(`/sessions/${seen.sessionId}/files`)
        expect(JSON.stringify(listed).includes(`${MARKER}.txt`), `"${MARKER}.txt" is not in`, listed)
        return listed
      },
    },
    {
      name: 'exit code',
      async run(seen) {
        const result = await shell(seen, 'exit 3')
        expect(result.exitCode === 3, 'not exit code 3 but', result)
        return result
      },
    },
    {
      name: 'status',
      async run(seen) {
        const status = await api.get(`/sessions/${seen.sessionId}/status`)
        expect(Object(status).status === 'completed', 'not completed but', status)
        return status
      },
    },
    { name: 'long command', run: (seen) => api.begin(seen.sessionId ?? '', 'sleep 600') },
    {
      name: 'cancel',
      async run(seen) {
        const receipt = await api.cancel(seen.sessionId ?? '')
        expect(typeof receipt['quiet_after_ms'] === 'number', 'not known to be quiet:', receipt)
        const status = await api.get(`/sessions/${seen.sessionId}/status`)
        expect(Object(status).status === 'cancelled', 'not cancelled but', status)
        return receipt
      },
    },
    {
      name: 'events',
      async run(seen) {
        const stream = await api.readStream(seen.sessionId ?? '')
        expect(stream.complete === 5, 'not 5 runs that ended but', stream)
        return stream
      },
    },
  ]
}

function expect(met: boolean, what: string, result: unknown): void {
  if (!met) throw new Error(`${what} ${JSON.stringify(result).slice(0, 2000)}`)
}
