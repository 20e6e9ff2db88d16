import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { readEnv, type Config, type Secrets } from '../src/config.ts'
import { digestOf } from '../src/config/api-keys.ts'
import { renderEnvExample } from '../src/config/env-example.ts'
import { describeProblems } from '../src/config/problem.ts'
import type { Environment } from '../src/config/reader.ts'
import type { Surroundings } from '../src/config/surroundings.ts'

const nowhere: Surroundings = {
  cwd: '/srv',
  home: '/home/op',
  exists: () => false,
  obstacle: () => undefined,
  readText: (path) => {
    throw new Error(`no such file: ${path}`)
  },
}

function valid(
  env: Environment,
  surroundings = nowhere,
): { config: Config; secrets: Secrets; warnings: readonly string[] } {
  const result = readEnv(env, surroundings)
  assert.equal(result.status, 'ok', result.status === 'invalid' ? describeProblems(result.problems) : '')
  assert.ok(result.status === 'ok')
  return result
}

function problems(env: Environment, surroundings = nowhere) {
  const result = readEnv(env, surroundings)
  assert.ok(result.status === 'invalid')
  return result.problems
}

describe('the configuration', () => {
  it('is complete without any variable and listens on loopback only', () => {
    const { config } = valid({})
    assert.equal(config.host, '127.0.0.1')
    assert.equal(config.port, 8080)
    assert.equal(config.dataDir, '/home/op/.local/share/opencode-gateway')
    assert.equal(config.workspaceRoot, '/home/op/.local/share/opencode-gateway/workspaces')
    assert.equal(config.limits.runTimeoutMs, 300_000)
    assert.equal(config.limits.sessionTimeoutMs, 3_600_000)
  })

  it('cannot be changed once it is read', () => {
    const { config } = valid({})
    assert.throws(() => Object.assign(config.limits, { maxQueuedRuns: 1 }), TypeError)
  })

  it('puts the data below XDG_DATA_HOME', () => {
    assert.equal(valid({ XDG_DATA_HOME: '/xdg' }).config.dataDir, '/xdg/opencode-gateway')
  })

  it('D7: reads the older names of its settings', () => {
    const { config, secrets } = valid({
      OPENCODE_SHARED_SECRET: 'a-shared-secret',
      SESSION_TIMEOUT: '5m',
      WORKSPACE_DIR: '/w',
      OPENCODE_URL: 'http://engine:4096/',
      MAX_CONCURRENT_TASKS: '7',
    })
    assert.deepEqual(secrets.keys[0]?.digest, digestOf('a-shared-secret'))
    assert.equal(config.limits.runTimeoutMs, 300_000)
    assert.equal(config.limits.sessionTimeoutMs, 300_000)
    assert.equal(config.workspaceRoot, '/w')
    assert.equal(config.server.url, 'http://engine:4096')
    assert.equal(config.limits.maxConcurrentRuns, 7)
  })

  it('takes an empty value for none', () => {
    assert.equal(valid({ PORT: '', API_KEY: ' ' }).config.port, 8080)
  })

  it('refuses two names of one setting with different values', () => {
    const [problem] = problems({ SESSION_TIMEOUT: '5m', TASK_TIMEOUT: '6m' })
    assert.equal(problem?.name, 'SESSION_TIMEOUT, TASK_TIMEOUT')
  })

  it('reports every problem at once, each with its name, what was got, what is expected and what follows', () => {
    const found = problems({ PORT: 'eighty', LOG_LEVEL: 'loud', MAX_REQUEST_SIZE: '10MB', OPENCODE_CONFIG_JSON: '{' })
    assert.deepEqual(
      found.map(({ name }) => name),
      ['OPENCODE_CONFIG_JSON', 'PORT', 'LOG_LEVEL', 'MAX_REQUEST_SIZE'],
    )
    for (const problem of found) for (const text of Object.values(problem)) assert.notEqual(text, '')
    assert.match(describeProblems(found), /4 problems[^]*PORT[^]*"eighty"[^]*0 to 65535/)
  })

  it('D5: never repeats a secret in a problem', () => {
    const text = describeProblems(
      problems({
        API_KEY: 'sécret-key',
        OPENCODE_AUTH_JSON: 'sk-very-secret',
        OPENCODE_SERVER_URL: 'http://u:hunter2@x',
      }),
    )
    for (const secret of ['sécret', 'sk-very-secret', 'hunter2']) assert.equal(text.includes(secret), false, text)
  })

  it('D5: keeps every secret out of the part that may be logged', () => {
    const env = {
      API_KEY: 'secret-one-aaaa',
      OPENCODE_AUTH_JSON: '{"x":"secret-two"}',
      OPENCODE_CONFIG_JSON: '{"y":"secret-three"}',
      OPENCODE_SERVER_PASSWORD: 'secret-four',
      OPENCODE_AUTH_TOKEN: 'secret-five',
      ANTHROPIC_API_KEY: 'secret-six',
    }
    const { config, secrets } = valid(env)
    assert.equal(JSON.stringify(config).includes('secret-'), false)
    assert.equal(secrets.authJson, '{"x":"secret-two"}')
    assert.equal(secrets.providerKeys.ANTHROPIC_API_KEY, 'secret-six')
  })

  it('uses the scripted model only while nothing leads to a real one', () => {
    assert.equal(valid({}).config.model.scripted, true)
    for (const name of ['ANTHROPIC_API_KEY', 'GEMINI_API_KEY']) {
      assert.equal(valid({ [name]: 'k' }).config.model.scripted, false, name)
    }
    assert.equal(valid({ OPENCODE_AUTH_JSON: '{}' }).config.model.scripted, false)
    assert.equal(valid({ OPENCODE_CONFIG_JSON: '{}' }).config.model.scripted, false)
    assert.equal(valid({ OPENCODE_SERVER_URL: 'http://127.0.0.1:4096' }).config.model.scripted, false)
  })

  it('knows which providers have keys, not the keys', () => {
    assert.deepEqual(valid({ GEMINI_API_KEY: 'a', GROQ_API_KEY: 'b' }).config.model.providers, [
      'GEMINI_API_KEY',
      'GROQ_API_KEY',
    ])
  })

  it('D2: refuses an address others can reach without a key', () => {
    assert.equal(problems({ HOST: '0.0.0.0' })[0]?.name, 'HOST')
    assert.equal(valid({ HOST: '0.0.0.0', API_KEY: 'a-good-key' }).config.host, '0.0.0.0')
    assert.equal(valid({ HOST: '0.0.0.0', ALLOW_UNAUTHENTICATED: 'true' }).secrets.keys.length, 0)
    for (const host of ['localhost', '127.0.0.2', '::1']) assert.equal(valid({ HOST: host }).config.host, host)
  })

  it('takes executor docker, whichever way it is asked for', () => {
    for (const env of [{ EXECUTOR: 'docker' }, { OPENCODE_SERVER_ENABLED: 'false' }]) {
      assert.equal(valid(env).config.executor, 'docker')
    }
  })

  it('reads what containers are made with', () => {
    const { docker } = valid({
      EXECUTOR: 'docker',
      DOCKER_HOST: 'tcp://docker-gate:2375',
      DOCKER_MEMORY: '2g',
      DOCKER_CPUS: '0.5',
      DOCKER_USER: '1001:100',
    }).config
    assert.deepEqual(docker.daemon, { host: 'docker-gate', port: 2375 })
    assert.deepEqual(docker.limits, { memoryBytes: 2 * 1024 ** 3, cpus: 0.5, pids: 256 })
    assert.deepEqual(docker.user, { uid: 1001, gid: 100 })
    assert.deepEqual(valid({}).config.docker.daemon, { socketPath: '/var/run/docker.sock' })
  })

  it('refuses what containers cannot or must not be made with', () => {
    const wrong = {
      DOCKER_HOST: 'ssh://machine',
      DOCKER_NETWORK: 'host',
      DOCKER_MEMORY: '100m',
      DOCKER_CPUS: '0',
      DOCKER_PIDS_LIMIT: '10',
      DOCKER_USER: '0',
      OPENCODE_IMAGE: '--privileged',
    }
    for (const [name, value] of Object.entries(wrong)) assert.equal(problems({ [name]: value })[0]?.name, name)
  })

  it('reads where containers may connect to, nowhere by default', () => {
    const { egress } = valid({ DOCKER_EGRESS: 'a.test, *.B.test:8443,*', DOCKER_EGRESS_PRIVATE: '10.0.0.1:4873' })
      .config.docker
    const short = (rules: typeof egress.hosts) => rules.map(({ host, below, port }) => [host, below, port])
    assert.deepEqual(short(egress.hosts), [
      ['a.test', false, undefined],
      ['b.test', true, 8443],
      ['', true, undefined],
    ])
    assert.deepEqual(short(egress.privateHosts), [['10.0.0.1', false, 4873]])
    assert.equal(egress.maxConnections, 64)
    assert.deepEqual(valid({}).config.docker.egress, { hosts: [], privateHosts: [], maxConnections: 64 })
  })

  it('refuses hosts that are none, and says which one and why', () => {
    const wrong = [
      'https://a.test',
      'a.test,',
      'a.test/path',
      'a.test:0',
      '10.0.0.1',
      '[::1]',
      '0x7f.1',
      '2130706433',
      'ä.test',
      '*.1.2.3.4',
      'a*.test',
    ]
    for (const value of wrong) {
      const [problem] = problems({ DOCKER_EGRESS: value })
      assert.equal(problem?.name, 'DOCKER_EGRESS', value)
      assert.match(problem?.expected ?? '', /of ".*": \w/)
    }
    for (const value of ['*', '169.254.169.254', '0.0.0.0', '[fe80::1]'])
      assert.equal(problems({ DOCKER_EGRESS_PRIVATE: value })[0]?.name, 'DOCKER_EGRESS_PRIVATE', value)
  })

  it('A1: refuses an engine image that is not pinned outside of development', () => {
    const digest = `sha256:${'a'.repeat(64)}`
    const env = { EXECUTOR: 'docker', NODE_ENV: 'production' }
    for (const image of ['opencode-engine', 'opencode-engine:1.18.33', 'opencode-engine@sha256:abc']) {
      assert.equal(problems({ ...env, OPENCODE_IMAGE: image })[0]?.name, 'OPENCODE_IMAGE', image)
    }
    assert.equal(problems(env)[0]?.name, 'OPENCODE_IMAGE')
    for (const image of [digest, `registry.example/engine@${digest}`]) {
      assert.equal(valid({ ...env, OPENCODE_IMAGE: image }).config.docker.image, image)
    }
    assert.equal(valid({ NODE_ENV: 'production' }).config.executor, 'server')
  })

  it('uses the image of the engine that the packages have by default', () => {
    const text = readFileSync(new URL('../../../pnpm-workspace.yaml', import.meta.url), 'utf8')
    const version = /^ {2}opencode-ai: (\S+)$/m.exec(text)?.[1]
    assert.equal(valid({}).config.docker.image, `opencode-engine:${version}`)
  })

  it('gives no credentials to containers', () => {
    assert.equal(problems({ EXECUTOR: 'docker', OPENCODE_AUTH_TOKEN: 't' })[0]?.name, 'OPENCODE_AUTH_TOKEN')
  })

  it('tells that the address of an engine is of no use to containers', () => {
    const { config, warnings } = valid({ EXECUTOR: 'docker', OPENCODE_SERVER_URL: 'http://127.0.0.1:4096' })
    assert.equal(config.server.url, undefined)
    assert.match(warnings.join(), /OPENCODE_SERVER_URL is not used/)
  })

  it('refuses directories that cannot be there, all at once', () => {
    const surroundings = { ...nowhere, obstacle: (path: string) => `${JSON.stringify(path)} is not a directory` }
    const found = problems({ DATA_DIR: '/etc/hosts', WORKSPACE_ROOT: '/etc/passwd', PORT: 'x' }, surroundings)
    assert.deepEqual(
      found.map(({ name }) => name),
      ['PORT', 'DATA_DIR', 'WORKSPACE_ROOT'],
    )
    assert.match(found[1]?.got ?? '', /"\/etc\/hosts" is not a directory/)
  })

  it('tells of a directory below another once', () => {
    const surroundings = { ...nowhere, obstacle: () => '"/x" is not a directory' }
    assert.deepEqual(
      problems({ DATA_DIR: '/x' }, surroundings).map(({ name }) => name),
      ['DATA_DIR'],
    )
  })

  it('takes an empty DATA_DIR for none', () => {
    assert.equal(valid({ DATA_DIR: '' }).config.dataDir, '/home/op/.local/share/opencode-gateway')
  })

  it('refuses workspaces inside a checkout or below an AGENTS.md', () => {
    for (const marker of ['/src/project/.git', '/src/AGENTS.md']) {
      const surroundings = { ...nowhere, exists: (path: string) => path === marker }
      assert.equal(problems({ WORKSPACE_ROOT: '/src/project/work' }, surroundings)[0]?.name, 'WORKSPACE_ROOT')
    }
  })

  it('lets nothing ask and nothing leave the workspace unless PERMISSIONS says so', () => {
    assert.deepEqual(valid({}).config.permissions, {
      '*': 'allow',
      question: 'deny',
      external_directory: 'deny',
      bash: { '*': 'allow', 'git push*': 'deny' },
    })
    assert.deepEqual(valid({ PERMISSIONS: '{"external_directory":"ask"}' }).config.permissions, {
      '*': 'allow',
      question: 'deny',
      external_directory: 'ask',
    })
    assert.deepEqual(valid({ PERMISSIONS: '"deny"' }).config.permissions, {
      '*': 'deny',
      question: 'deny',
      external_directory: 'deny',
    })
  })

  for (const wrong of [
    'allow',
    '{"bash": "perhaps"}',
    '{"bash": {"ls": true}}',
    '["bash"]',
    '{"bash":',
    '{"Bash": "deny"}',
  ]) {
    it(`refuses PERMISSIONS=${wrong}`, () => assert.equal(problems({ PERMISSIONS: wrong })[0]?.name, 'PERMISSIONS'))
  }

  it('refuses one port for two listeners, unless both are free ones', () => {
    assert.equal(problems({ PORT: '9000', METRICS_PORT: '9000' })[0]?.name, 'METRICS_PORT')
    assert.equal(valid({ PORT: '0', METRICS_PORT: '0' }).config.metricsPort, 0)
  })

  it('knows where a test may have it crash, and does not list it among the settings', () => {
    assert.equal(valid({ CRASH_AT: 'after-claim' }).config.crashAt, 'after-claim')
    assert.match(problems({ CRASH_AT: 'sometimes' })[0]?.expected ?? '', /after-claim/)
    assert.equal(renderEnvExample().includes('CRASH_AT'), false)
  })

  it('warns of names that look like settings and are none', () => {
    const { warnings } = valid({ OPENCODE_SEVER_URL: 'http://x', OPENCODE_FANCY: '1', HOSTNAME: 'box', PATH: '/bin' })
    assert.equal(warnings.length, 2)
    assert.match(warnings[0] ?? '', /OPENCODE_SEVER_URL .* did you mean OPENCODE_SERVER_URL/)
    assert.match(warnings[1] ?? '', /OPENCODE_FANCY/)
  })

  it('warns of settings a remote engine never sees', () => {
    const { warnings } = valid({ OPENCODE_SERVER_URL: 'http://x', OPENAI_API_KEY: 'k', ENGINE_MAX_AGE: '1h' })
    assert.match(warnings[0] ?? '', /OPENAI_API_KEY is not used/)
    assert.match(warnings[1] ?? '', /ENGINE_MAX_AGE is not used/)
  })

  it('bounds what an engine may grow to, and the grace of a cancel', () => {
    const { recycle } = valid({
      ENGINE_MAX_RSS: '1073741824',
      ENGINE_MAX_AGE: '90m',
      ENGINE_MAX_DIRECTORIES: '7',
    }).config
    assert.deepEqual(recycle, { maxRssBytes: 2 ** 30, maxAgeMs: 5_400_000, maxDirectories: 7 })
    for (const [name, value] of [
      ['ENGINE_MAX_RSS', '1000'],
      ['ENGINE_MAX_AGE', '1s'],
      ['ENGINE_MAX_DIRECTORIES', '0'],
      ['CANCEL_GRACE', '1s'],
    ] as const) {
      const read = readEnv({ [name]: value }, nowhere)
      assert.ok(read.status === 'invalid' && read.problems.some((problem) => problem.name === name), name)
    }
  })
})

describe('a file of API keys', () => {
  const hash = digestOf('key-of-ci').toString('hex')
  const read = (content: unknown) =>
    readEnv({ API_KEYS_FILE: 'keys.json' }, { ...nowhere, readText: () => JSON.stringify(content) })

  it('gives each key its tenant, its scopes and its limits', () => {
    const result = read([
      { id: 'ci', hash, scopes: ['read'], limits: { requests: 10 } },
      { id: 'b', hash, tenant: 'ci' },
      { id: 'c', hash, scopes: ['read', 'files:secrets'] },
      { id: 'd', hash, limits: { budget: { cost_usd: 50, wall: '10h' }, day_budget: { calls: 9, tokens: 1000 } } },
    ])
    assert.ok(result.status === 'ok')
    const [ci, b, c, d] = result.secrets.keys
    assert.deepEqual(ci, {
      id: 'ci',
      tenant: 'ci',
      digest: digestOf('key-of-ci'),
      scopes: ['read'],
      limits: { requests: 10 },
    })
    assert.equal(b?.tenant, 'ci')
    assert.deepEqual(b.scopes, ['read', 'write'], 'secrets are for who is said to have them')
    assert.deepEqual(c?.scopes, ['read', 'files:secrets'])
    const budget = { costUsd: 50, wallMs: 36_000_000 }
    assert.deepEqual(d?.limits, { budget, dayBudget: { calls: 9, tokens: 1000 } })
  })

  const broken: [string, unknown][] = [
    ['is no list', 'x'],
    ['is empty', []],
    ['has a hash that is too short', [{ id: 'a', hash: 'abc' }]],
    [
      'has an id twice',
      [
        { id: 'a', hash },
        { id: 'a', hash },
      ],
    ],
    ['has a member nobody knows', [{ id: 'a', hash, key: 'x' }]],
    ['has a scope nobody knows', [{ id: 'a', hash, scopes: ['root'] }]],
    ['has a limit of nothing', [{ id: 'a', hash, limits: { streams: 0 } }]],
    ['has a budget of nothing', [{ id: 'a', hash, limits: { budget: {} } }]],
    ['has a budget of what nobody knows', [{ id: 'a', hash, limits: { day_budget: { cost: 1 } } }]],
  ]
  for (const [what, content] of broken) {
    it(`is refused when it ${what}`, () => {
      const result = read(content)
      assert.ok(result.status === 'invalid')
      assert.equal(result.problems[0]?.name, 'API_KEYS_FILE')
    })
  }

  it('is refused when it cannot be read', () => {
    assert.match(problems({ API_KEYS_FILE: 'gone.json' })[0]?.expected ?? '', /no such file: \/srv\/gone\.json/)
  })
})

describe('.env.example', () => {
  it('is the one made from the settings', () => {
    const committed = readFileSync(new URL('../../../.env.example', import.meta.url), 'utf8')
    assert.equal(committed, renderEnvExample(), 'write it anew with: node scripts/env-example.ts')
  })

  it('can be used as it is: every line with its comment sign removed is valid', () => {
    const env = Object.fromEntries(
      renderEnvExample()
        .split('\n')
        .flatMap((line) => {
          const [, name, value] = /^#([A-Z_]+)=(.*)$/.exec(line) ?? []
          return name === undefined ? [] : [[name, value]]
        }),
    )
    assert.deepEqual(valid(env), valid({}))
  })
})
