import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, test } from 'node:test'
import { createGitServer, lines, type GitServer } from '@opencode-gateway/executor-testing'
import { callOf, eventually } from '../gateway.ts'
import { startRealGateway, type RealGateway } from '../real-engine.ts'

const LIMIT = { timeout: 120_000 }
const ACCOUNT = { username: 'robot', password: 'canary-of-a-request' }
const BASIC = Buffer.from(`${ACCOUNT.username}:${ACCOUNT.password}`).toString('base64')
const KEY = Buffer.from(Array.from({ length: 32 }, (_, index) => index)).toString('base64')

let server: GitServer
let real: RealGateway
before(async () => {
  server = await createGitServer()
  server.requireAuth(ACCOUNT)
  const env = { GIT_ALLOWED_HOSTS: server.host, ENCRYPTION_KEY: KEY, LOG_LEVEL: 'trace' }
  real = await startRealGateway({ env })
})
after(async () => {
  await real[Symbol.asyncDispose]()
  await server.close()
})

/** Files of the gateway, its database and the workspaces among them, that have one of the words. */
async function filesWith(...words: readonly string[]): Promise<readonly string[]> {
  const found: string[] = []
  for (const entry of await readdir(real.dataDir, { recursive: true, withFileTypes: true })) {
    const file = join(entry.parentPath, entry.name)
    const text = entry.isFile() ? await readFile(file, 'latin1').catch(() => '') : ''
    if (words.some((word) => text.includes(word))) found.push(file)
  }
  return found
}

test(
  'D5: credentials of a request open the repository, are nowhere to be read, and go with the session',
  LIMIT,
  async (t) => {
    const call = callOf(t, real.url)
    const repository = await server.addRepository('app', { 'a.txt': 'a' })
    const given = { repository, git_credentials: { [server.host]: ACCOUNT } }
    const prompt = `${lines.run('env; cat .git/config')}\n${lines.write('b.txt', 'b')}`
    const answer = await call('POST', '/run', { prompt, ...given, push: true, keep_workspace: true })
    assert.equal(answer.status, 200, answer.text)
    assert.equal(answer.json().pushed, true)
    const id = String(answer.json().session_id)
    assert.equal(await server.git('app', 'rev-parse', String(answer.json().branch)), answer.json().commit)

    // A later run of the session has them too.
    const later = await call(
      'POST',
      `/sessions/${id}/messages`,
      { prompt: lines.write('c.txt', 'c'), push: true },
      { prefer: 'wait=60' },
    )
    assert.ok(later.status < 300, later.text)
    await eventually(t, async () => (await call('GET', `/sessions/${id}/status`)).json().status === 'completed')
    assert.equal(await server.git('app', 'show', `${String(answer.json().branch)}:c.txt`), 'c')

    const told = [answer, later]
    for (const path of ['', '/events?limit=1000', '/messages', '/workspace', '/status', '/diff']) {
      told.push(await call('GET', `/sessions/${id}${path}`))
    }
    for (const secret of [ACCOUNT.password, BASIC, 'sealedCredentials', 'git_credentials']) {
      for (const { text } of told) assert.ok(!text.includes(secret), secret)
      assert.ok(!real.process.logged().includes(secret), secret)
    }
    assert.deepEqual(await filesWith(ACCOUNT.password, BASIC), [])
    const kept = await filesWith('"sealedCredentials"')
    assert.ok(kept.length > 0 && kept.every((file) => file.includes('gateway.db')), kept.join())

    assert.equal((await call('DELETE', `/sessions/${id}`)).status, 200)
    await eventually(t, async () => !(await readdir(real.workspaceRoot)).includes(id))
    await eventually(t, () => rowsWithCredentials() === 0)
  },
)

function rowsWithCredentials(): number {
  const db = new DatabaseSync(join(real.dataDir, 'gateway.db'), { readOnly: true })
  try {
    return Number(db.prepare(`SELECT count(*) n FROM session_fills WHERE fill LIKE '%sealed%'`).get()?.['n'])
  } finally {
    db.close()
  }
}

test(
  'credentials of a request that are wrong, or for another host, are REPOSITORY_AUTH and leave nothing',
  LIMIT,
  async (t) => {
    const call = callOf(t, real.url)
    const repository = await server.addRepository('closed', { 'a.txt': 'a' })
    for (const credentials of [
      { [server.host]: { username: 'robot', password: 'canary-wrong' } },
      { 'git.example.com': ACCOUNT },
      { [server.host.replace(/:\d+$/, '')]: ACCOUNT },
    ]) {
      const answer = await call('POST', '/run', { prompt: 'say: never', repository, git_credentials: credentials })
      assert.equal(`${String(answer.json().code)} ${answer.status}`, 'REPOSITORY_AUTH 422', answer.text)
      assert.ok(!answer.text.includes('canary'), answer.text)
    }
    assert.ok(!real.process.logged().includes('canary'))
    await eventually(t, () => rowsWithCredentials() === 0)
  },
)
