import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

/**
 * A directory with these files that is gone after the test.
 *
 * @param {import('node:test').TestContext} t
 * @param {Record<string, string>} [files] content by path
 */
export function tempDir(t, files = {}) {
  const dir = mkdtempSync(join(tmpdir(), 'toolchain-test-'))
  t.after(() => rmSync(dir, { recursive: true, force: true }))
  writeFiles(dir, files)
  return dir
}

/**
 * @param {string} dir
 * @param {Record<string, string>} files content by path
 */
export function writeFiles(dir, files) {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, path)), { recursive: true })
    writeFileSync(join(dir, path), content)
  }
}
