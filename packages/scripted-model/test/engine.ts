import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'

export interface Message {
  readonly info: {
    readonly role: string
    readonly finish?: string
    readonly error?: { readonly name: string }
    readonly summary?: unknown
    readonly tokens?: { readonly input: number; readonly output: number }
  }
  readonly parts: readonly {
    readonly type: string
    readonly text?: string
    readonly tool?: string
    readonly state?: {
      readonly status: string
      readonly output?: string
      readonly error?: string
      readonly input?: unknown
    }
  }[]
}

export interface Engine {
  readonly directory: string
  createSession(title?: string): Promise<string>
  /** Resolves with the last answer, or at the end of an aborted prompt. */
  prompt(sessionId: string, text: string): Promise<Message>
  messages(sessionId: string): Promise<Message[]>
  call(method: 'GET' | 'POST', route: string, body?: unknown): Promise<unknown>
  close(): Promise<void>
}

const START_TIMEOUT_MS = 30_000
const CALL_TIMEOUT_MS = 60_000

/** Runs the real engine against a model server, in a home of its own, without any other network. */
export async function startEngine(modelUrl: string, models: Record<string, unknown> = {}): Promise<Engine> {
  const home = await mkdtemp(path.join(tmpdir(), 'scripted-model-'))
  const directory = path.join(home, 'work')
  await mkdir(directory)
  await preparePluginFolder(home)
  await writeFile(path.join(home, 'models.json'), '{}')
  const child = spawn(engineBinary(), ['serve', '--hostname', '127.0.0.1', '--port', '0'], {
    cwd: directory,
    env: engineEnvironment(home, modelUrl, models),
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const exited = once(child, 'exit')
  const close = async (): Promise<void> => {
    child.kill('SIGKILL')
    await exited
    await rm(home, { recursive: true, force: true })
  }
  const late = setTimeout(() => child.kill('SIGKILL'), START_TIMEOUT_MS)
  const url = await listening(createInterface(child.stdout))
    .catch(async (error: unknown) => {
      await close()
      throw error
    })
    .finally(() => clearTimeout(late))
  child.stdout.resume()
  const call = async (method: string, route: string, body?: unknown): Promise<unknown> => {
    const target = new URL(route, url)
    target.searchParams.set('directory', directory)
    const response = await fetch(target, {
      method,
      signal: AbortSignal.timeout(CALL_TIMEOUT_MS),
      ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    })
    if (!response.ok) throw new Error(`${method} ${route} answered ${response.status}: ${await response.text()}`)
    return response.json()
  }
  return {
    directory,
    call,
    async createSession(title = 'scripted') {
      const session = (await call('POST', '/session', title === '' ? {} : { title })) as { id: string }
      return session.id
    },
    prompt: async (id, text) =>
      (await call('POST', `/session/${id}/message`, { parts: [{ type: 'text', text }] })) as Message,
    messages: async (id) => (await call('GET', `/session/${id}/message`)) as Message[],
    close,
  }
}

/** The engine binds its port before it can answer, so only its own line counts. */
async function listening(lines: AsyncIterable<string>): Promise<string> {
  for await (const line of lines) {
    const url = /listening on (http:\S+)/.exec(line)?.[1]
    if (url !== undefined) return url
  }
  throw new Error('the engine ended before it listened')
}

function engineBinary(): string {
  const manifest = createRequire(import.meta.url).resolve('opencode-ai/package.json')
  return path.join(path.dirname(manifest), 'bin', 'opencode.exe')
}

/** Makes the engine believe its plugin package is there; otherwise it runs npm install in the home. */
async function preparePluginFolder(home: string): Promise<void> {
  const folder = path.join(home, '.config', 'opencode')
  await mkdir(path.join(folder, 'node_modules'), { recursive: true })
  const lock = { packages: { '': { dependencies: { '@opencode-ai/plugin': '*' } } } }
  await writeFile(path.join(folder, 'package-lock.json'), JSON.stringify(lock))
}

function engineEnvironment(home: string, modelUrl: string, models: Record<string, unknown>): NodeJS.ProcessEnv {
  const model = { tool_call: true, reasoning: true, temperature: true, limit: { context: 200_000, output: 8192 } }
  const config = {
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
        models: { 'script-1': model, ...models },
      },
    },
  }
  return {
    PATH: process.env['PATH'],
    HOME: home,
    XDG_CONFIG_HOME: path.join(home, '.config'),
    XDG_DATA_HOME: path.join(home, '.local', 'share'),
    XDG_CACHE_HOME: path.join(home, '.cache'),
    XDG_STATE_HOME: path.join(home, '.local', 'state'),
    OPENCODE_DISABLE_MODELS_FETCH: '1',
    OPENCODE_MODELS_PATH: path.join(home, 'models.json'),
    OPENCODE_DISABLE_AUTOUPDATE: '1',
    OPENCODE_DISABLE_LSP_DOWNLOAD: '1',
    OPENCODE_DISABLE_DEFAULT_PLUGINS: '1',
    OPENCODE_PURE: '1',
    OPENCODE_DISABLE_CLAUDE_CODE: '1',
    OPENCODE_DISABLE_EXTERNAL_SKILLS: '1',
    OPENCODE_DISABLE_EMBEDDED_WEB_UI: '1',
    OPENCODE_DISABLE_PROJECT_CONFIG: '1',
    OPENCODE_DISABLE_FFF: '1',
    OPENCODE_EXPERIMENTAL_DISABLE_FILEWATCHER: 'true',
    OPENCODE_CONFIG_CONTENT: JSON.stringify(config),
  }
}
