import { chmod, rm } from 'node:fs/promises'
import closeWithGrace from 'close-with-grace'
import { createGate } from './app.ts'
import { readProcessEnv, type Address, type GateConfig } from './config.ts'

/** As sysexits.h has it: the configuration is at fault. */
const EX_CONFIG = 78
const GRACE_MS = 5_000

const config = configuration()
if (config) await serve(config)

function configuration(): GateConfig | undefined {
  try {
    return readProcessEnv()
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
    process.exitCode = EX_CONFIG
    return undefined
  }
}

async function serve(config: GateConfig): Promise<void> {
  const app = createGate({ config, logger: { level: 'info' } })
  closeWithGrace({ delay: GRACE_MS }, async ({ err }) => {
    if (err) app.log.fatal({ err }, 'an error nobody expected; the gate closes')
    await app.close()
  })
  app.log.info({ config }, 'configuration')
  await listen(config.listen)

  async function listen(address: Address): Promise<void> {
    if (!('socketPath' in address)) {
      await app.listen({ host: address.host, port: address.port })
      return
    }
    // That of a gate that is no more.
    await rm(address.socketPath, { force: true })
    await app.listen({ path: address.socketPath })
    await chmod(address.socketPath, 0o660)
  }
}
