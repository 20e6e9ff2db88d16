import { access, constants } from 'node:fs/promises'
import { createRequire } from 'node:module'
import path from 'node:path'
import { ExecutorError } from '@opencode-gateway/contracts'

/** The engine's executable: the given one, or that of the `opencode-ai` package. */
export async function findEngineBinary(given: string | undefined): Promise<string> {
  const binary = given ?? packagedBinary()
  try {
    await access(binary, constants.X_OK)
    return binary
  } catch (error) {
    throw new ExecutorError(
      'EXECUTOR_UNAVAILABLE',
      `the OpenCode engine "${binary}" cannot be run; install the package opencode-ai with its install script allowed, ` +
        'or set OPENCODE_SERVER_URL to an engine that runs elsewhere',
      { cause: error },
    )
  }
}

/** The package's own launcher starts this file; we start it ourselves, so that signals reach the engine. */
function packagedBinary(): string {
  try {
    return path.join(
      path.dirname(createRequire(import.meta.url).resolve('opencode-ai/package.json')),
      'bin/opencode.exe',
    )
  } catch (error) {
    const message = 'the package opencode-ai is not installed; install it, or set OPENCODE_SERVER_URL'
    throw new ExecutorError('EXECUTOR_UNAVAILABLE', message, { cause: error })
  }
}
