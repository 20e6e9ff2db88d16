import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { after, before, describe, test } from 'node:test'
import { promisify } from 'node:util'
import type { AgentSession } from '@opencode-gateway/contracts'
import { command, prompt } from '@opencode-gateway/executor-testing/running'
import { ctx, createPlace, image, leftoversOf, missingImage } from './scene.ts'
import type { Place } from './scene.ts'
import { openWayOut, type WayOut } from './way-out.ts'

const PIDS = 96
const MEMORY = 640 * 1024 ** 2
const FLOOD = 300_000_000
/** What the daemon keeps of it. */
const LOG = 1024 ** 2

describe('a container, seen from inside', { skip: await missingImage() }, () => {
  let place: Place
  let session: AgentSession
  let wayOut: WayOut
  before(async () => {
    place = await createPlace()
    wayOut = await openWayOut()
    // What the session says is less than what the executor has.
    const egress = ['*', new URL(wayOut.plain).host, new URL(wayOut.secure).host]
    const resources = { pids: PIDS, memoryBytes: MEMORY, egress }
    const executor = place.executor({
      limits: { pids: 2 * PIDS, memoryBytes: 2 * MEMORY, cpus: 1, tmpBytes: 8 * 1024 ** 2 },
      openEgress: wayOut.proxy.openSocket,
    })
    await executor.start(AbortSignal.timeout(120_000))
    session = await executor.open({ sessionId: 'probe-inside', title: 'Probe', fill: { resources } }, ctx())
  })
  after(async () => {
    await session?.release('nothing')
    await place?.close()
    await wayOut?.close()
  })

  /** What a command says, as the agent would run it. */
  async function sh(text: string): Promise<{ code: number | undefined; stdout: string; stderr: string }> {
    const run = command(session, text)
    const { exitCode, finalMessage } = await run.outcome
    const stderr = run.events.map((event) =>
      event.type === 'output' && event.data.type === 'stderr' ? event.data.text : '',
    )
    return { code: exitCode, stdout: finalMessage, stderr: stderr.join('') }
  }

  test('the agent is not root, has no capability and can gain none', async () => {
    const { stdout } = await sh(
      'id -u; id -g; grep -E "^(Cap(Eff|Prm|Bnd|Inh|Amb)|NoNewPrivs|Seccomp):" /proc/self/status',
    )
    const [uid, gid, ...rows] = stdout.trim().split('\n')
    assert.notEqual(uid, '0')
    assert.notEqual(gid, '0')
    const status = Object.fromEntries(rows.map((row) => row.split(':\t')))
    for (const set of ['CapEff', 'CapPrm', 'CapBnd', 'CapInh', 'CapAmb']) assert.match(status[set] ?? '', /^0+$/, set)
    assert.equal(status['NoNewPrivs'], '1')
    assert.equal(status['Seccomp'], '2')
  })

  test('a program that would make it root does not', async () => {
    const { code, stdout } = await sh('su -c "id -u" root </dev/null; mount -t tmpfs none /mnt; unshare -U true')
    assert.notEqual(code, 0)
    assert.equal(stdout.trim(), '')
  })

  test('only its own directories can be written to', async () => {
    const refused = [
      '/',
      '/etc',
      '/usr/local/bin',
      '/opt/engine',
      '/run',
      '/run/models',
      '/run/shell',
      '/var/tmp',
      '/proc/sys/kernel',
    ]
    const allowed = ['/workspace', '/home/node', '/tmp', '/run/engine']
    const { stdout } = await sh(
      `for at in ${[...refused, ...allowed].join(' ')}; do touch "$at/probe" 2>/dev/null && echo "$at"; done`,
    )
    assert.deepEqual(stdout.trim().split('\n'), allowed)
  })

  test('there is no network but itself', async () => {
    const { stdout } = await sh('ls /sys/class/net; cat /proc/net/route | tail -n +2')
    assert.equal(stdout.trim(), 'lo')
    const addresses = ['169.254.169.254/80', '172.17.0.1/22', '1.1.1.1/53']
    const reached = await sh(
      `for to in ${addresses.join(' ')}; do timeout 2 bash -c "exec 3<>/dev/tcp/$to" 2>/dev/null && echo $to; done`,
    )
    assert.equal(reached.stdout, '')
  })

  test('an engine that comes up asks for no host, and its programs reach those that are allowed', async () => {
    assert.deepEqual(wayOut.passed, [], 'something was asked for before there was any work')
    const answers = await sh(`
      curl -s ${wayOut.plain}/; curl -sk ${wayOut.secure}/
      node -e 'fetch("${wayOut.plain}").then(async (answer) => process.stdout.write(await answer.text()))'
      git -c http.sslVerify=false ls-remote ${wayOut.secure}/ 2>&1 | grep -o "not valid"
      echo $npm_config_offline`)
    assert.equal(answers.stdout, `${'from outside\n'.repeat(3)}not valid\nfalse\n`, answers.stderr)
    assert.equal((await prompt(session, 'say: still there').outcome).finalMessage, 'still there')
  })

  test('hosts that are not allowed, metadata and the machine of the gateway are refused', async () => {
    const { port } = new URL(wayOut.plain)
    const asked = [
      'other.test',
      '169.254.169.254',
      `spare.test:${port}`,
      `other.test:${port}`,
      `127.0.0.1:${port}`,
      '[::ffff:127.0.0.1]',
    ]
    const { stdout } = await sh(
      `for to in ${asked.join(' ')}; do curl -gs --noproxy none -o /dev/null -w '%{http_code} ' http://$to/; done
       curl -gs --noproxy none -o /dev/null -w '%{http_connect}' https://169.254.169.254/`,
    )
    assert.equal(stdout, '403 403 403 403 403 403 403')
  })

  test('neither the Docker socket nor another session, nor anything secret of the gateway is there', async () => {
    const { stdout } = await sh(
      'ls /var/run/docker.sock /run/docker.sock 2>/dev/null; ls /workspace /run; env | cut -d= -f1 | sort',
    )
    assert.doesNotMatch(stdout, /docker\.sock|API_KEY|TOKEN|OPENCODE_SERVER_PASSWORD/)
  })

  test('a fork bomb is contained, and the session goes on', async () => {
    const bomb = `
      const { spawn } = require('node:child_process')
      const all = Array.from({ length: 4 * ${PIDS} }, () => spawn('sleep', ['60']).on('error', () => {}))
      console.log(all.filter(({ pid }) => pid !== undefined).length)
      for (const one of all) one.kill('SIGKILL')`
    const { stdout } = await sh(`node -e "${bomb.replaceAll('\n', ';')}"`)
    assert.ok(Number(stdout) > 0 && Number(stdout) < PIDS, `${stdout} were started`)
    assert.equal((await sh('echo well')).stdout, 'well\n')
  })

  test('/tmp has an end', async () => {
    const { code, stderr } = await sh('head -c 20000000 /dev/zero >/tmp/big; code=$?; rm -f /tmp/big; exit $code')
    assert.notEqual(code, 0)
    assert.match(stderr, /No space left/)
  })

  test('no more files can be open, and no core is dumped', async () => {
    const { stdout } = await sh('ulimit -n; ulimit -Hn; ulimit -c')
    assert.deepEqual(stdout.trim().split('\n'), ['4096', '4096', '0'])
  })

  test('the limits are those of the kernel', async () => {
    const { stdout } = await sh(
      'cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/memory.max 2>/dev/null; cat /sys/fs/cgroup/pids/pids.max /sys/fs/cgroup/pids.max 2>/dev/null',
    )
    assert.deepEqual(stdout.trim().split('\n'), [String(MEMORY), String(PIDS)])
  })

  test('its image is the one that was asked for', async () => {
    const [{ id } = { id: '' }] = await place.containers()
    const facts = await place.daemon.inspect(id, AbortSignal.timeout(10_000))
    const found = await place.daemon.findImage(image, AbortSignal.timeout(10_000))
    assert.equal(facts?.image, found?.id)
  })

  test('what it writes to its log is bounded, on the disk and in our memory, and the session goes on', async () => {
    const [{ id } = { id: '' }] = await place.containers()
    const before = process.memoryUsage.rss()
    // As its agent can: past the engine, into the log that the daemon keeps.
    const flood = await sh(`head -c ${FLOOD} /dev/zero | tr "\\0" x >/proc/1/fd/1; echo "$?"`)
    assert.equal(flood.stdout, '0\n', flood.stderr)
    assert.equal((await sh('echo well')).stdout, 'well\n')
    const { stdout: log } = await promisify(execFile)('docker', ['logs', id], { maxBuffer: FLOOD })
    assert.ok(log.length > 0 && log.length <= LOG, `${log.length} bytes are kept`)
    const run = prompt(session, 'say: begun', 'hang')
    await run.untilText('text', 'begun')
    await place.daemon.kill(id, AbortSignal.timeout(10_000))
    const { error } = await run.outcome
    assert.equal(error?.code, 'CONTAINER_DIED')
    assert.match(error?.message ?? '', /its last lines:\nx+/)
    assert.ok((error?.message.length ?? 0) < 20_000, 'its last lines are too long')
    assert.ok(process.memoryUsage.rss() - before < FLOOD / 3, 'the log was held in memory')
  })
  test('whatever was done in it, nothing is left of it', async () => {
    await session.release('nothing')
    assert.deepEqual(await leftoversOf(place), [])
  })
})
