import assert from 'node:assert/strict'
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { areInstalled, stampOf, workspacePackages, workspacePatterns } from '../toolchain/dependencies.mjs'
import { tempDir, writeFiles } from './temp-dir.mjs'

const PNPM = '10.34.9'
const tools = { node: '', pnpm: '', binDir: '', pnpmVersion: PNPM }
const workspace = {
  'pnpm-workspace.yaml': 'packages:\n  - apps/*\n  - "packages/*"\n  - scripts\n\ncatalog:\n  left: 1.0.0\n',
  'pnpm-lock.yaml': 'lockfileVersion: 9\n',
  'package.json': '{"name":"root"}',
  'packages/a/package.json': '{"name":"a","dependencies":{"left":"catalog:"}}',
  'packages/notes.txt': 'not a package',
  'scripts/package.json': '{"name":"scripts"}',
}

/** @param {import('node:test').TestContext} t */
function installedWorkspace(t) {
  const root = tempDir(t, workspace)
  writeFiles(root, { 'node_modules/.toolchain-stamp': stampOf(root, PNPM) })
  mkdirSync(join(root, 'packages/a/node_modules'))
  return root
}

test('the packages are those that pnpm-workspace.yaml names', (t) => {
  assert.deepEqual(workspacePatterns(workspace['pnpm-workspace.yaml']), ['apps/*', 'packages/*', 'scripts'])
  const dirs = workspacePackages(tempDir(t, workspace)).map(({ dir }) => dir)
  assert.deepEqual(dirs, ['.', 'packages/a', 'scripts'])
})

test('an installed workspace is not installed again', (t) => {
  assert.equal(areInstalled(installedWorkspace(t), tools), true)
})

test('a changed, new or removed manifest, lock file or pnpm asks for an install', (t) => {
  const changes = [
    { 'pnpm-lock.yaml': 'lockfileVersion: 9\n# more\n' },
    { 'pnpm-workspace.yaml': `${workspace['pnpm-workspace.yaml']}  right: 1.0.0\n` },
    { 'package.json': '{"name":"other"}' },
    { 'packages/a/package.json': '{"name":"a"}' },
    { 'apps/b/package.json': '{"name":"b"}' },
  ]
  for (const change of changes) {
    const root = installedWorkspace(t)
    writeFiles(root, change)
    assert.equal(areInstalled(root, tools), false, JSON.stringify(change))
  }
  const root = installedWorkspace(t)
  assert.equal(areInstalled(root, { ...tools, pnpmVersion: '10.34.10' }), false)
  rmSync(join(root, 'scripts/package.json'))
  assert.equal(areInstalled(root, tools), false)
})

test('a clone without node_modules, or a package that lost its own, asks for an install', (t) => {
  assert.equal(areInstalled(tempDir(t, workspace), tools), false)
  const root = installedWorkspace(t)
  rmSync(join(root, 'packages/a/node_modules'), { recursive: true })
  assert.equal(areInstalled(root, tools), false)
})
