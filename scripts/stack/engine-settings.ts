import { providerVariables } from '@opencode-gateway/opencode'

export interface EngineSettings {
  image: string
  port: number
  workspaceRoot: string
}

const PINNED = /(?:^|@)sha256:[0-9a-f]{64}$/

/** What the engine is started with, and everything that is wrong with it. */
export function engineSettings(
  env: Readonly<Record<string, string | undefined>>,
  isDirectory: (path: string) => boolean,
): { settings: EngineSettings; problems: readonly string[] } {
  const problems: string[] = []
  const image = env['OPENCODE_IMAGE'] ?? ''
  const workspaceRoot = env['WORKSPACE_ROOT'] ?? ''
  const port = Number(env['OPENCODE_PORT'] || 4096)
  if (image === '') problems.push('OPENCODE_IMAGE is not set; name the engine image, "name@sha256:…"')
  else if (!PINNED.test(image) && env['NODE_ENV'] !== 'development')
    problems.push(
      `OPENCODE_IMAGE is "${image}", which can come to mean another image; name it by its digest, "name@sha256:…", ` +
        'or set NODE_ENV=development',
    )
  if (!Number.isInteger(port) || port < 1 || port > 65_535)
    problems.push(`OPENCODE_PORT is "${env['OPENCODE_PORT']}"; expected a port`)
  if (workspaceRoot === '') problems.push('WORKSPACE_ROOT is not set; name the directory the engine works in')
  else if (!workspaceRoot.startsWith('/') || !isDirectory(workspaceRoot))
    problems.push(`WORKSPACE_ROOT is "${workspaceRoot}"; expected the absolute path of a directory`)
  if (!env['OPENCODE_SERVER_PASSWORD'])
    problems.push('OPENCODE_SERVER_PASSWORD is not set; without a password the engine runs commands for everybody')
  return { settings: { image, port, workspaceRoot }, problems }
}

/** Arguments of docker. The values of what is secret are not among them: docker takes them from its environment. */
export function runArguments(name: string, { image, port, workspaceRoot }: EngineSettings): readonly string[] {
  return [
    ...words(`run --detach --name ${name} --init --restart unless-stopped`),
    ...words('--read-only --cap-drop ALL --security-opt no-new-privileges --pids-limit 1024 --memory 4g'),
    ...words('--tmpfs /tmp:exec,size=256m --log-driver json-file --log-opt max-size=10m --log-opt max-file=3'),
    ...words(`--volume ${name}-home:/home/node --publish 127.0.0.1:${port}:4096`),
    '--volume',
    `${workspaceRoot}:${workspaceRoot}`,
    '--workdir',
    workspaceRoot,
    ...PASSED_ON.flatMap((variable) => ['--env', variable]),
    image,
  ]
}

const PASSED_ON = [
  'OPENCODE_SERVER_PASSWORD',
  'OPENCODE_SERVER_USERNAME',
  'OPENCODE_CONFIG_CONTENT',
  'OPENCODE_PERMISSION',
  ...providerVariables,
]

const words = (text: string): readonly string[] => text.split(' ')
