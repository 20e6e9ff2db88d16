import { pino } from 'pino'
import { buildApp } from '../app.ts'
import { readEnv } from '../config.ts'

/** The document as the routes say it, made without anything behind them. It is committed, and served from there. */
export async function renderOpenApi(): Promise<string> {
  const env = readEnv({}, { cwd: '/', home: '/', exists: () => false, readText: () => '', obstacle: () => undefined })
  if (env.status === 'invalid') throw new Error('the defaults are no valid configuration')
  const app = await buildApp({
    config: env.config,
    describe: true,
    keys: [],
    log: pino({ level: 'silent' }),
    store: { check: absent, reportUsage: absent },
    sessions: {
      start: absent,
      create: absent,
      addRun: absent,
      waitForRun: absent,
      cancel: absent,
      remove: absent,
      retry: absent,
      asks: absent,
      answer: absent,
      workspace: absent,
      changeWorkspace: absent,
      reset: absent,
      fork: absent,
      get: absent,
      list: absent,
      read: absent,
      follow: absent,
      load: absent,
      accepting: () => false,
      drain: absent,
      close: absent,
    },
    executor: {
      name: 'none',
      capabilities: { isolation: 'none', shell: true, followUps: true, survivesRestart: false, options: [] },
      start: absent,
      check: absent,
      open: absent,
      attach: absent,
      sweep: absent,
      close: absent,
    },
  })
  try {
    await app.ready()
    return `${JSON.stringify(app.swagger(), null, 2)}\n`
  } finally {
    await app.close()
  }
}

function absent(): never {
  throw new Error('there is nothing behind the routes while their document is made')
}
