import closeWithGrace from 'close-with-grace'
import { renderBanner } from './start/banner.ts'
import { readProcessEnv, type Config, type Secrets } from './config.ts'
import { describeProblems } from './config/problem.ts'
import { createGateway } from './gateway.ts'
import { createLog, outputForPeople } from './log.ts'
import { shutdownPlan } from './start/shutdown-plan.ts'
import { EXIT, startFailure } from './start/start-failure.ts'
import { readVersion } from './version.ts'

const tell = (text: string) => void process.stderr.write(`${text}\n`)

const env = readProcessEnv()
for (const warning of env.warnings) tell(`warning: ${warning}`)
if (env.status === 'ok') {
  await serve(env.config, env.secrets)
} else {
  tell(describeProblems(env.problems))
  process.exitCode = EXIT.config
}

async function serve(config: Config, secrets: Secrets): Promise<void> {
  const output = process.stdout.isTTY ? await outputForPeople() : undefined
  const log = createLog({ level: config.logLevel, output })
  const gateway = createGateway({ config, secrets, log })

  async function fail(err: unknown): Promise<never> {
    const { exitCode, message } = startFailure(err, config)
    tell(`The gateway cannot start: ${message}`)
    await gateway.stop()
    process.exit(exitCode)
  }

  closeWithGrace(
    { delay: config.shutdownGraceMs, logger: { error: (message: string) => log.error({}, message) } },
    async ({ signal, err }) => {
      const plan = shutdownPlan(config.shutdownGraceMs)
      if (err) log.fatal({ err }, 'an error nobody expected; the gateway stops')
      else log.info({ signal, ...plan }, 'the gateway stops')
      tell(`Stopping: runs that work have ${plan.drainMs / 1000}s to finish. A second signal ends them at once.`)
      await gateway.stop()
      log.info({}, 'stopped')
    },
  )
  log.info({ config }, 'configuration')
  try {
    const address = await gateway.start()
    tell(renderBanner({ version: readVersion(), address, config, keys: secrets.keys.length }))
    log.info({ address }, 'listening')
  } catch (err) {
    await fail(err)
  }
  gateway.fatal.catch(fail)
}
