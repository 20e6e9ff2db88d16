import assert from 'node:assert/strict'
import type { FilesCase } from '../harness.ts'
import { archived, bytes, paths, read, refused, write } from '../speak.ts'

const SECRETS = [
  '.env',
  '.ENV',
  '.env.local',
  '.Env.Production',
  '.env.',
  'config/.env',
  '.env/inside',
  '.envrc',
  'prod.env',
  'server.pem',
  'server.PEM',
  'tls/private.key',
  '.key',
  'store.p12',
  'store.jks',
  'id_rsa',
  'ID_RSA',
  'id_rsa.pub',
  'id_ed25519',
  '.ssh/config',
  '.aws/config',
  '.kube/config',
  '.npmrc',
  '.NpmRc',
  '.netrc',
  '.pypirc',
  '.pgpass',
  '.git-credentials',
  'credentials',
  'Credentials.json',
  '.credentials',
  'secrets.yaml',
  'secret.json',
]
// Files that can lie in one workspace together.
const TOGETHER = SECRETS.filter((path) => path !== '.env/inside')
const limits = { maxEntries: 1000, maxBytes: 1_000_000 }

export const secretCases: readonly FilesCase[] = [
  {
    name: `${SECRETS.length} names that look like secrets are not read or written without leave, by no detour`,
    async run(scene) {
      const { files, signal } = scene
      await write(scene, 'present', 'x')
      for (const path of SECRETS) {
        await refused(files.write(path, bytes('x'), { maxBytes: 9 }, signal), 'SECRET_FILE_DENIED', `write ${path}`)
        await refused(files.move('present', path, { overwrite: true }), 'SECRET_FILE_DENIED', `move to ${path}`)
        await write(scene, path, 'hush', { secrets: true })
        assert.ok((await paths(scene)).includes(path), `${path} is listed`)
        await refused(files.read(path, {}), 'SECRET_FILE_DENIED', `read ${path}`)
        await refused(files.move(path, 'plain', { overwrite: true }), 'SECRET_FILE_DENIED', `move ${path}`)
        assert.equal(await read(scene, path, { secrets: true }), 'hush')
        assert.equal((await files.stat(path)).size, 4)
        await files.remove(path.split('/')[0] ?? '', { recursive: true })
      }
    },
  },
  {
    name: 'an archive has no secrets unless it is asked to, and brings none in without leave',
    async run(scene) {
      for (const path of TOGETHER) await write(scene, path, 'hush', { secrets: true })
      await write(scene, '.env.example', 'KEY=')
      const without = await archived(scene)
      const all = await archived(scene, { secrets: true })
      await scene.sh('rm -rf ./* ./.[!.]*')
      await scene.files.unpack(bytes(without), limits, scene.signal)
      assert.deepEqual(await paths(scene), ['.env.example', 'config', 'tls'])
      await scene.sh('rm -rf ./* ./.[!.]*')
      await refused(scene.files.unpack(bytes(all), limits, scene.signal), 'SECRET_FILE_DENIED', 'unpack')
      assert.deepEqual(await paths(scene), [])
      await scene.files.unpack(bytes(all), { ...limits, secrets: true }, scene.signal)
      for (const path of TOGETHER) assert.equal(await read(scene, path, { secrets: true }), 'hush')
    },
  },
  {
    name: 'an archive of a path that looks like a secret has nothing in it',
    async run(scene) {
      await write(scene, '.env', 'hush', { secrets: true })
      const archive = await archived(scene, { paths: ['.env'] })
      await scene.files.remove('.env', { recursive: false })
      assert.deepEqual(await scene.files.unpack(bytes(archive), limits, scene.signal), { files: 0, bytes: 0 })
    },
  },
]
