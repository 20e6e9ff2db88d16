import { execFileSync } from 'node:child_process'
import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'

/** A certificate for localhost and its key, in a directory until the test ends. */
export function selfSigned(t: TestContext): { directory: string; certificate: string } {
  const directory = mkdtempSync(join(tmpdir(), 'compose-tls-'))
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  const [key, certificate] = ['privkey.pem', 'fullchain.pem'].map((name) => join(directory, name))
  const how = 'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost'
  const names = ['-addext', 'subjectAltName=DNS:localhost', '-keyout', String(key), '-out', String(certificate)]
  execFileSync('openssl', [...how.split(' '), ...names], { stdio: 'pipe' })
  // The user of the proxy is another one.
  for (const path of [directory, String(key)]) chmodSync(path, 0o755)
  return { directory, certificate: readFileSync(String(certificate), 'utf8') }
}
