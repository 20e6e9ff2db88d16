import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { readEnv } from '@opencode-gateway/gateway/config'
import { parseAllDocuments } from 'yaml'
import { all, directory, files, kustomization, manifests, modules, only } from './manifests.ts'
import { restrictedProblems } from './restricted.ts'

const root = fileURLToPath(new URL('../../../', import.meta.url))
const pod = only('Deployment').spec?.template.spec
assert.ok(pod)
const [gateway, engine] = pod.containers
assert.ok(gateway && engine)

test('the manifests have the published types, with no field that is not theirs', (t) => {
  const problems = typeProblems(t, manifests)
  assert.equal(problems, '')
  const [first] = manifests.filter(({ kind }) => kind === 'Deployment')
  assert.ok(first)
  const text = JSON.stringify(first.content)
  for (const [from, to] of [
    ['"readinessProbe"', '"readynessProbe"'],
    ['"replicas":1', '"replicas":"1"'],
  ] as const) {
    assert.ok(text.includes(from))
    assert.match(typeProblems(t, [{ ...first, content: JSON.parse(text.replace(from, to)) }]), /error TS/)
  }
})

test('the pod is admitted where the Pod Security Standard is "restricted", and has no token', () => {
  assert.deepEqual(restrictedProblems(pod), [])
  assert.equal(only('Namespace').metadata?.labels?.['pod-security.kubernetes.io/enforce'], 'restricted')
  assert.equal(only('ServiceAccount').automountServiceAccountToken, false)
  const loose = { ...pod, automountServiceAccountToken: true, hostPID: true, securityContext: {} }
  assert.equal(restrictedProblems(loose).length, 6)
})

test('B1: probes are those of the gateway and need no key; the engine has those of A2', () => {
  const paths = [gateway.startupProbe, gateway.livenessProbe, gateway.readinessProbe].map((probe) => probe?.httpGet)
  assert.deepEqual(paths, [
    { path: '/healthz', port: 'http' },
    { path: '/healthz', port: 'http' },
    { path: '/ready', port: 'http' },
  ])
  for (const probe of [engine.startupProbe, engine.livenessProbe])
    assert.deepEqual(probe?.exec?.command?.slice(0, 2), ['healthcheck', '--baseUrl'])
})

test('the settings of the gateway are settings it takes, with nothing left over', () => {
  const env = Object.fromEntries((gateway.env ?? []).map(({ name, value }) => [name, value ?? 'a-long-enough-secret']))
  const image = { HOST: '0.0.0.0', PORT: '8080', DATA_DIR: '/data', HOME: '/data', NODE_ENV: 'production' }
  const surroundings = {
    cwd: '/app',
    home: '/data',
    readText: () => '',
    exists: () => false,
    obstacle: () => undefined,
  }
  const read = readEnv({ ...image, ...env }, surroundings)
  assert.equal(read.status, 'ok', JSON.stringify(read))
  assert.deepEqual(read.warnings, [])
  for (const { config } of read.status === 'ok' ? [read] : []) {
    const mounts = (gateway.volumeMounts ?? []).map(({ mountPath }) => mountPath)
    for (const path of [config.dataDir, config.workspaceRoot]) assert.ok(mounts.includes(path), path)
    assert.deepEqual(
      [config.port, config.metricsPort].map(Number),
      (gateway.ports ?? []).map(({ containerPort }) => containerPort),
    )
    assert.ok((engine.volumeMounts ?? []).some(({ mountPath }) => mountPath === config.workspaceRoot))
  }
})

test('everything that is named is there', () => {
  const named = manifests.map(({ kind, name }) => `${kind}/${name}`)
  assert.equal(new Set(named).size, named.length)
  const has = (kind: string, name: string | undefined) =>
    assert.ok(named.includes(`${kind}/${name}`), `${kind} ${name}`)
  has('ServiceAccount', pod.serviceAccountName)
  for (const { persistentVolumeClaim } of pod.volumes ?? [])
    if (persistentVolumeClaim) has('PersistentVolumeClaim', persistentVolumeClaim.claimName)
  const volumes = (pod.volumes ?? []).map(({ name }) => name)
  for (const { volumeMounts = [] } of pod.containers)
    for (const { name } of volumeMounts) assert.ok(volumes.includes(name), name)
  const keys = all('Secret').flatMap(({ metadata, stringData }) =>
    Object.keys(stringData ?? {}).map((key) => `${metadata?.name}/${key}`),
  )
  for (const { env = [], envFrom = [] } of pod.containers) {
    for (const { valueFrom } of env)
      if (valueFrom) assert.ok(keys.includes(`${valueFrom.secretKeyRef?.name}/${valueFrom.secretKeyRef?.key}`))
    for (const { secretRef } of envFrom) has('Secret', secretRef?.name)
  }
  const labels = only('Deployment').spec?.template.metadata?.labels
  assert.deepEqual(only('Deployment').spec?.selector.matchLabels, labels)
  assert.deepEqual(only('Service').spec?.selector, labels)
  assert.deepEqual(only('NetworkPolicy').spec?.podSelector?.matchLabels, labels)
  const ports = (gateway.ports ?? []).map(({ name }) => name)
  assert.deepEqual(
    only('NetworkPolicy').spec?.ingress?.flatMap((rule) => (rule.ports ?? []).map(({ port }) => port)),
    ports,
  )
  for (const { targetPort } of only('Service').spec?.ports ?? []) assert.ok(ports.includes(String(targetPort)))
})

test('the kustomization takes all files but the example, and the pinned engine', (t) => {
  const taken = files.filter((name) => name !== 'secret.example.yaml')
  assert.deepEqual(kustomization.resources.toSorted(), taken.toSorted())
  assert.deepEqual(
    kustomization.images.map(({ name }) => name).toSorted(),
    pod.containers.map(({ image }) => String(image)).toSorted(),
  )
  const catalog = readFileSync(join(root, 'pnpm-workspace.yaml'), 'utf8')
  const [, version] = /^ {2}opencode-ai: (.+)$/m.exec(catalog) ?? []
  assert.equal(kustomization.images.find(({ name }) => name === 'opencode-engine')?.newTag, version)
  const kubectl = spawnSync('kubectl', ['kustomize', fileURLToPath(directory)], { encoding: 'utf8' })
  if (kubectl.error) return t.diagnostic('without kubectl: `kubectl kustomize` was not tried')
  assert.equal(kubectl.status, 0, kubectl.stderr)
  const built = parseAllDocuments(kubectl.stdout).map((document) => document.toJS())
  assert.equal(built.length, manifests.filter(({ kind }) => kind !== 'Secret').length)
  for (const { kind, metadata } of built)
    if (kind !== 'Namespace') assert.equal(metadata.namespace, kustomization.namespace)
})

/** What the compiler says of the manifests as values of their types; empty when they fit. */
function typeProblems(
  t: { after(done: () => void): void },
  given: readonly { kind: string; content: unknown }[],
): string {
  // Below node_modules, so that the types are found from there.
  const cache = join(root, 'scripts', 'node_modules', '.cache')
  mkdirSync(cache, { recursive: true })
  const work = mkdtempSync(join(cache, 'kubernetes-'))
  t.after(() => rmSync(work, { recursive: true, force: true }))
  const source = given.map(({ kind, content }, index) => {
    assert.ok(kind in modules, `no types for ${kind}`)
    const from = modules[kind as keyof typeof modules]
    return `import type { ${kind} as Kind${index} } from '${from}'\nexport const value${index}: Kind${index} = ${JSON.stringify(content, null, 1)}\n`
  })
  writeFileSync(join(work, 'manifests.ts'), source.join('\n'))
  const options = ['--ignoreConfig', '--noEmit', '--strict', '--skipLibCheck', '--module', 'nodenext', '--types', '']
  const tsc = join(root, 'node_modules', '.bin', 'tsc')
  const { status, stdout, stderr } = spawnSync(tsc, [...options, join(work, 'manifests.ts')], { encoding: 'utf8' })
  return status === 0 ? '' : stdout + stderr
}
