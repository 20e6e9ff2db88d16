import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { callOf, eventually, temporaryDirectory } from './gateway.ts'
import { startRealGateway } from './real-engine.ts'

test(
  'what a run did to the workspace is told, can be applied elsewhere, and can be undone',
  { timeout: 120_000 },
  async (t) => {
    const real = await startRealGateway()
    t.after(() => real[Symbol.asyncDispose]())
    const call = callOf(t, real.url)
    const files = {
      'changed.txt': 'one\ntwo\n',
      'gone.txt': 'gone\n',
      '.gitignore': 'node_modules\n',
      'kept/a.txt': 'a\n',
    }
    const made = await call('POST', '/sessions', { files, prompt: 'say: ready' })
    assert.equal(made.status, 201, made.text)
    const id = String(made.json()['session_id'])
    const status = async () => (await call('GET', `/sessions/${id}/status`)).json()['status']
    await eventually(t, async () => (await status()) === 'completed')
    const nothing = await call('GET', `/sessions/${id}/diff`)
    assert.deepEqual(nothing.json(), { from: 'start', files: [], truncated: false })

    const work =
      'write: new.txt | new\nrun: printf "one\\nthree\\n" > changed.txt; rm gone.txt; mkdir node_modules; echo x > node_modules/x.js; echo canary-token > .env'
    const follow = await call('POST', `/sessions/${id}/messages`, { prompt: `${work}\nsay: done` })
    assert.equal(follow.status, 202, follow.text)
    const busy = await call('POST', `/sessions/${id}/reset`, {})
    assert.deepEqual([busy.status, busy.json()['code']], [409, 'SESSION_BUSY'])
    await eventually(t, async () => (await status()) === 'completed')

    const diff = await call('GET', `/sessions/${id}/diff`)
    assert.equal(diff.status, 200, diff.text)
    const rows = [diff.json()['files']].flat().map((row) => Object(row))
    assert.deepEqual(
      rows.map(({ path, status, truncated }) => [path, status, truncated]),
      [
        ['.env', 'added', true],
        ['changed.txt', 'modified', false],
        ['gone.txt', 'deleted', false],
        ['new.txt', 'added', false],
      ],
    )
    assert.match(rows[1].patch, /\n-two\n\+three\n$/)

    const patch = await call('GET', `/sessions/${id}/diff?format=patch`)
    assert.equal(patch.status, 200, patch.text)
    assert.match(patch.headers.get('content-type') ?? '', /^text\/x-patch/)
    assert.doesNotMatch(patch.text + diff.text, /canary-token/)
    const copy = await temporaryDirectory(t)
    await mkdir(join(copy, 'kept'))
    for (const [name, text] of Object.entries(files)) await writeFile(join(copy, name), text)
    await writeFile(join(copy, 'patch'), patch.text)
    await promisify(execFile)('git', ['apply', 'patch'], { cwd: copy })
    assert.deepEqual((await readdir(copy)).toSorted(), ['.gitignore', 'changed.txt', 'kept', 'new.txt', 'patch'])
    assert.equal(await readFile(join(copy, 'changed.txt'), 'utf8'), 'one\nthree\n')

    const [first, second] = [made, follow].map((answer) => String(answer.json()['run_id']))
    const since = await call('GET', `/sessions/${id}/diff?since=${first}`)
    assert.deepEqual(since.json(), { ...diff.json(), from: first }, 'the first run changed nothing')
    const third = await call('POST', `/sessions/${id}/messages`, {
      prompt: 'run: printf "four\\n" > changed.txt; rm new.txt',
    })
    await eventually(t, async () => (await status()) === 'completed')
    const later = await call('GET', `/sessions/${id}/diff?since=${second}&max_patch_bytes=0`)
    assert.deepEqual(
      [later.json()['files']].flat().map((row) => `${Object(row).status} ${Object(row).path}`),
      ['modified changed.txt', 'deleted new.txt'],
    )
    const laterPatch = await call('GET', `/sessions/${id}/diff?since=${second}&format=patch`)
    assert.match(laterPatch.text, /\n-three\n\+four\n/)
    const content = async (name: string) => (await call('GET', `/sessions/${id}/files/content?path=${name}`)).text
    const back = await call('POST', `/sessions/${id}/reset`, { run_id: second })
    assert.deepEqual([back.status, back.json()], [200, { session_id: id, to: 'run', run_id: second }])
    assert.deepEqual([await content('changed.txt'), await content('new.txt')], ['one\nthree\n', 'new'])
    const forth = await call('POST', `/sessions/${id}/reset`, { run_id: String(third.json()['run_id']).toUpperCase() })
    assert.equal(forth.status, 200, forth.text)
    assert.equal(await content('changed.txt'), 'four\n')

    const unknown = '6e0c1f64-0000-4000-8000-000000000001'
    for (const [body, code] of [
      [{ run_id: unknown }, 'RUN_NOT_FOUND'],
      [{ run_id: 'first' }, 'INVALID_REQUEST'],
      [{ run_id: second, to: 'start' }, 'INVALID_REQUEST'],
    ] as const) {
      assert.equal((await call('POST', `/sessions/${id}/reset`, body)).json()['code'], code)
    }
    assert.equal((await call('GET', `/sessions/${id}/diff?since=${unknown}`)).json()['code'], 'SNAPSHOT_NOT_FOUND')

    const reset = await call('POST', `/sessions/${id}/reset`)
    assert.deepEqual([reset.status, reset.json()], [200, { session_id: id, to: 'start' }])
    const directory = join(real.workspaceRoot, id)
    assert.deepEqual((await readdir(directory)).toSorted(), ['.gitignore', 'changed.txt', 'gone.txt', 'kept'])
    assert.equal(await readFile(join(directory, 'changed.txt'), 'utf8'), 'one\ntwo\n')

    for (const [path, code] of [
      [`/sessions/${id}/diff?format=xml`, 'INVALID_REQUEST'],
      [`/sessions/${id}/diff?limit=0`, 'INVALID_REQUEST'],
      [`/sessions/${id}/diff?form=patch`, 'INVALID_REQUEST'],
      ['/sessions/6e0c1f64-0000-4000-8000-000000000000/diff', 'SESSION_NOT_FOUND'],
    ] as const) {
      assert.equal((await call('GET', path)).json()['code'], code, path)
    }
    assert.equal((await call('POST', `/sessions/${id}/reset`, { to: 'noon' })).json()['code'], 'INVALID_REQUEST')
    await call('DELETE', `/sessions/${id}`)
    assert.equal((await call('GET', `/sessions/${id}/diff`)).json()['code'], 'WORKSPACE_NOT_FOUND')
    assert.equal((await call('POST', `/sessions/${id}/reset`, {})).json()['code'], 'SESSION_CLOSED')
  },
)
