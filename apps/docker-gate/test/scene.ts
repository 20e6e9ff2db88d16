import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after } from 'node:test'
import { promisify } from 'node:util'
import { Agent, request } from 'undici'
import { createGate } from '../src/app.ts'
import type { GateConfig } from '../src/config.ts'

export interface Answer {
  status: number
  text: string
}

export type Send = (method: string, path: string, body?: unknown) => Promise<Answer>

export interface Scene {
  config: GateConfig
  imageId: string
  directory: string
  workspaceRoot: string
  /** Through the gate; a text is sent as it is. */
  gate: Send
  /** Settles when it is answered through the gate, with the first line that comes then. */
  stream(path: string): Promise<{ line: Promise<string> }>
  /** Past it. */
  daemon: Send
}

export const image = 'docker-gate-test:latest'
const daemonSocket = (process.env['DOCKER_HOST'] ?? 'unix:///var/run/docker.sock').replace(/^unix:\/\//, '')

const dispatchers: Agent[] = []

/** Why there is no daemon to test with, or false. */
export async function missingDaemon(): Promise<string | false> {
  const { status } = await sender(daemonSocket)('GET', '/_ping').catch(() => ({ status: 0 }))
  return status === 200 ? false : `no Docker daemon answers at ${daemonSocket}`
}

/** A gate before the real daemon, and an image whose containers do nothing. Removed after the tests of the file. */
export async function startScene(overrides: Partial<GateConfig> = {}): Promise<Scene> {
  const directory = realpathSync(mkdtempSync(path.join(tmpdir(), 'docker-gate-')))
  const workspaceRoot = path.join(directory, 'workspaces')
  mkdirSync(path.join(workspaceRoot, 'one'), { recursive: true })
  const daemon = sender(daemonSocket)
  await makeImage()
  const { Id: imageId } = JSON.parse((await daemon('GET', `/images/${image}/json`)).text)
  const config: GateConfig = {
    daemon: { socketPath: daemonSocket },
    listen: { socketPath: path.join(directory, 'gate.sock') },
    image,
    workspaceRoot,
    user: '1000:1000',
    connections: 64,
    networks: [],
    runtimes: [],
    mark: path.basename(directory),
    bounds: { memoryBytes: 1024 ** 3, cpus: 2, pids: 512, containers: 20 },
    ...overrides,
  }
  const app = createGate({ config })
  const socketPath = path.join(directory, 'gate.sock')
  await app.listen({ path: socketPath })
  after(async () => {
    await app.close()
    for (const { Id } of await containers(daemon)) await daemon('DELETE', `/containers/${Id}?force=1&v=1`)
    for (const dispatcher of dispatchers) await dispatcher.destroy()
    rmSync(directory, { recursive: true, force: true })
  })
  return {
    config,
    imageId: String(imageId),
    directory,
    workspaceRoot,
    gate: sender(socketPath),
    stream: streamer(socketPath),
    daemon,
  }
}

/** Containers that a test made, through the gate or past it. */
export async function containers(daemon: Send): Promise<readonly { Id: string; Names: readonly string[] }[]> {
  const filters = encodeURIComponent(JSON.stringify({ name: ['gate-test'] }))
  return JSON.parse((await daemon('GET', `/containers/json?all=1&filters=${filters}`)).text)
}

/** What the executor asks for. */
export function goodBody({ workspaceRoot }: Pick<Scene, 'workspaceRoot'>) {
  return {
    Image: image,
    User: '1000:1000',
    WorkingDir: '/workspace',
    Env: ['HOME=/home/node', 'OPENCODE_SERVER_PASSWORD=secret'],
    Labels: { 'opencode-gateway.owner': 'abcdef', 'opencode-gateway.session': 'one', 'opencode-gateway.epoch': '1' },
    AttachStdin: false,
    AttachStdout: false,
    AttachStderr: false,
    Tty: false,
    HostConfig: {
      NetworkMode: 'none',
      Init: true,
      Privileged: false,
      CapDrop: ['ALL'],
      SecurityOpt: ['no-new-privileges:true'],
      ReadonlyRootfs: true,
      IpcMode: 'private',
      Tmpfs: { '/tmp': 'rw,exec,nosuid,nodev,size=1048576,mode=1777' },
      Mounts: [{ Type: 'bind', Source: path.join(workspaceRoot, 'one'), Target: '/workspace', ReadOnly: false }],
      Memory: 64 * 1024 ** 2,
      MemorySwap: 64 * 1024 ** 2,
      NanoCpus: 1e9,
      PidsLimit: 64,
      Ulimits: [
        { Name: 'nofile', Soft: 4096, Hard: 4096 },
        { Name: 'core', Soft: 0, Hard: 0 },
      ],
      LogConfig: { Type: 'json-file', Config: { 'max-size': '1048576', 'max-file': '1' } },
      RestartPolicy: { Name: 'no' },
    },
  }
}

function sender(socketPath: string): Send {
  const dispatcher = new Agent({ connect: { socketPath } })
  dispatchers.push(dispatcher)
  return async (method, url, body) => {
    const text = typeof body === 'string' ? body : JSON.stringify(body)
    const answer = await request(`http://docker${url}`, {
      method,
      dispatcher,
      ...(text === undefined ? {} : { body: text, headers: { 'content-type': 'application/json' } }),
    })
    return { status: answer.statusCode, text: await answer.body.text() }
  }
}

function streamer(socketPath: string): Scene['stream'] {
  const dispatcher = new Agent({ connect: { socketPath } })
  dispatchers.push(dispatcher)
  return async (url) => {
    const { body } = await request(`http://docker${url}`, { dispatcher })
    const first = async (): Promise<string> => {
      let text = ''
      for await (const chunk of body) {
        text += String(chunk)
        if (text.includes('\n')) break
      }
      return text.split('\n')[0] ?? ''
    }
    return { line: first() }
  }
}

/** One program: that of Node's base image is there whenever the engine image is. */
async function makeImage(): Promise<void> {
  const from = `FROM node:24-bookworm-slim\nENTRYPOINT ["sleep", "600"]\n`
  const build = promisify(execFile)('docker', ['build', '--quiet', '--tag', image, '-'])
  build.child.stdin?.end(from)
  await build
}
