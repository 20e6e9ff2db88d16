import { mkdir, rename, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { leanEnvironment, type Catalogue } from '@opencode-gateway/opencode'

export interface EngineHome {
  readonly directory: string
  readonly environment: Readonly<Record<string, string>>
}

/**
 * A home of its own for an embedded engine, below the state directory: its database, caches and configuration. What
 * the engine would fetch from the network at start is either switched off or already there.
 */
export async function prepareEngineHome(
  stateDir: string,
  options: { catalogue: Catalogue | undefined },
): Promise<EngineHome> {
  const home = path.join(stateDir, 'home')
  const configFolder = path.join(home, '.config', 'opencode')
  await mkdir(path.join(configFolder, 'node_modules'), { recursive: true, mode: 0o700 })
  // The engine installs its plugin package from npm unless a lock file says that it is there.
  const lock = { packages: { '': { dependencies: { '@opencode-ai/plugin': '*' } } } }
  await writeFile(path.join(configFolder, 'package-lock.json'), JSON.stringify(lock))
  const models = path.join(stateDir, 'models.json')
  const { catalogue } = options
  if (catalogue) {
    // Another engine may be about to read it.
    await writeFile(`${models}.new`, JSON.stringify(catalogue))
    await rename(`${models}.new`, models)
  }
  return {
    directory: home,
    environment: {
      HOME: home,
      XDG_CONFIG_HOME: path.join(home, '.config'),
      XDG_DATA_HOME: path.join(home, '.local', 'share'),
      XDG_CACHE_HOME: path.join(home, '.cache'),
      XDG_STATE_HOME: path.join(home, '.local', 'state'),
      // Without the other 226 providers a directory takes a tenth of the memory and a quarter of the time.
      ...(catalogue ? { OPENCODE_MODELS_PATH: models } : {}),
      ...leanEnvironment,
    },
  }
}
