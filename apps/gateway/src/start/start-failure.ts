import { GatewayError } from '@opencode-gateway/contracts'
import type { Config } from '../config.ts'

/** Exit codes of sysexits.h. */
export const EXIT = { config: 78, unavailable: 69, software: 70 } as const

export interface StartFailure {
  exitCode: number
  /** For the operator: what is wrong and what to do. */
  message: string
}

/** What to tell the operator of an error that keeps the gateway from starting. */
export function startFailure(
  err: unknown,
  { host, port, metricsPort, dataDir }: Pick<Config, 'host' | 'port' | 'metricsPort' | 'dataDir'>,
): StartFailure {
  const unavailable = (message: string): StartFailure => ({ exitCode: EXIT.unavailable, message })
  const reason = err instanceof Error ? err.message : String(err)
  const portTaken = (taken: number): string =>
    `Port ${taken} on ${host} is taken. Stop what uses it, or set ${taken === metricsPort ? 'METRICS_PORT' : 'PORT'} to another one.`
  switch (errorCode(err)) {
    case 'EADDRINUSE':
      return unavailable(portTaken(portOf(err) ?? port))
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return unavailable(`This machine has no address ${host}. Set HOST to one it has.`)
    case 'EACCES':
    case 'EROFS':
    case 'EPERM':
      return unavailable(`Not permitted: ${reason}. Set DATA_DIR, WORKSPACE_ROOT and PORT to what this user may use.`)
    default:
  }
  const directory = directoryOf(err)
  if (directory !== undefined)
    return unavailable(
      `The directory ${JSON.stringify(directory)} cannot be made: ${reason}. Set DATA_DIR or WORKSPACE_ROOT to another one.`,
    )
  if (err instanceof GatewayError) return unavailable(`${reason} (${err.code}; DATA_DIR is ${JSON.stringify(dataDir)})`)
  return { exitCode: EXIT.software, message: err instanceof Error ? (err.stack ?? reason) : reason }
}

const errorCode = (err: unknown): unknown => (err instanceof Error && 'code' in err ? err.code : undefined)

/** The directory that could not be made. */
function directoryOf(err: unknown): string | undefined {
  if (!(err instanceof Error) || !('syscall' in err) || err.syscall !== 'mkdir') return undefined
  return 'path' in err && typeof err.path === 'string' ? err.path : undefined
}

/** The port that could not be had, which may be that of the metrics. */
function portOf(err: unknown): number | undefined {
  return err instanceof Error && 'port' in err && typeof err.port === 'number' ? err.port : undefined
}
