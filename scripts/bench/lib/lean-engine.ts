import { mkdir, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { leanEnvironment } from '@opencode-gateway/opencode'

/** `lean`: no model but those of its configuration. `whole`: all that are built into the engine. */
export type EngineCatalogue = 'lean' | 'whole'

/** The environment in which the engine starts and works fastest: no catalogue, no network, no plugins. */
export async function engineEnvironment(
  home: string,
  modelUrl: string,
  catalogue: EngineCatalogue = 'lean',
): Promise<NodeJS.ProcessEnv> {
  const folder = join(home, '.config', 'opencode')
  await mkdir(join(folder, 'node_modules'), { recursive: true })
  const lock = { packages: { '': { dependencies: { '@opencode-ai/plugin': '*' } } } }
  // The engine installs its plugin package from npm unless a lock file says that it is there.
  await writeFile(join(folder, 'package-lock.json'), JSON.stringify(lock))
  await writeFile(join(home, 'models.json'), '{}')
  return {
    PATH: process.env['PATH'],
    HOME: home,
    XDG_CONFIG_HOME: join(home, '.config'),
    XDG_DATA_HOME: join(home, '.local', 'share'),
    XDG_CACHE_HOME: join(home, '.cache'),
    XDG_STATE_HOME: join(home, '.local', 'state'),
    ...(catalogue === 'lean' ? { OPENCODE_MODELS_PATH: join(home, 'models.json') } : {}),
    ...leanEnvironment,
    OPENCODE_CONFIG_CONTENT: JSON.stringify(engineConfig(modelUrl)),
  }
}

/** One model, the scripted one, and nothing that asks. */
export function engineConfig(modelUrl: string): object {
  return {
    autoupdate: false,
    share: 'disabled',
    snapshot: false,
    model: 'script/script-1',
    small_model: 'script/script-1',
    enabled_providers: ['script'],
    permission: { '*': 'allow' },
    lsp: false,
    formatter: false,
    provider: {
      script: {
        npm: '@ai-sdk/openai-compatible',
        options: { baseURL: modelUrl, apiKey: 'none' },
        models: { 'script-1': { tool_call: true, limit: { context: 200_000, output: 8_192 } } },
      },
    },
  }
}

export function engineBinary(): string {
  return join(dirname(createRequire(import.meta.url).resolve('opencode-ai/package.json')), 'bin', 'opencode.exe')
}
