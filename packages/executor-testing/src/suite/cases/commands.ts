import assert from 'node:assert/strict'
import type { ConformanceCase } from '../case.ts'
import { assertCompleted } from '../checks.ts'
import { awkwardText } from './content.ts'

const TOO_MUCH_BYTES = 3_000_000

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}

function exitCodeCase(command: string, exitCode: number): ConformanceCase {
  return {
    group: 'commands',
    name: `the exit code of "${command}" is ${exitCode}`,
    needs: ['shell'],
    async run(scene) {
      const outcome = await assertCompleted(scene.command(await scene.open(), command))
      assert.equal(outcome.exitCode, exitCode)
    },
  }
}

export const commandCases: readonly ConformanceCase[] = [
  exitCodeCase('true', 0),
  exitCodeCase('echo x; exit 3', 3),
  exitCodeCase('no-such-command-anywhere', 127),
  exitCodeCase('false || exit 255', 255),
  {
    group: 'commands',
    name: 'a killed command has no exit code and is not completed',
    needs: ['shell'],
    async run(scene) {
      const { status, exitCode, error } = await scene.command(await scene.open(), 'kill -9 $$').outcome()
      assert.equal(exitCode, undefined)
      assert.equal(`${status} ${error?.code}`, 'failed RUN_FAILED')
    },
  },
  {
    group: 'commands',
    name: 'standard output and standard error are told apart',
    needs: ['shell'],
    async run(scene) {
      const recording = scene.command(await scene.open(), 'echo out; echo err >&2; echo more')
      const { finalMessage } = await assertCompleted(recording)
      assert.equal(recording.text('stdout'), 'out\nmore\n')
      assert.equal(recording.text('stderr'), 'err\n')
      assert.equal(finalMessage, 'out\nmore\n')
    },
  },
  {
    group: 'commands',
    name: 'a command without output has an empty final message',
    needs: ['shell'],
    async run(scene) {
      const recording = scene.command(await scene.open(), ':')
      assert.equal((await assertCompleted(recording)).finalMessage, '')
      assert.equal(recording.text('stdout'), '')
    },
  },
  {
    group: 'commands',
    name: 'quotes, dollars, backticks, newlines and unicode reach the command as they are',
    needs: ['shell'],
    async run(scene) {
      const outcome = await assertCompleted(scene.command(await scene.open(), `printf '%s' ${quoted(awkwardText)}`))
      assert.equal(outcome.finalMessage, awkwardText)
    },
  },
  {
    group: 'commands',
    name: 'a command may have several lines, and its last exit code counts',
    needs: ['shell'],
    async run(scene) {
      const outcome = await assertCompleted(scene.command(await scene.open(), 'echo first\necho "second"\nexit 4'))
      assert.equal(outcome.finalMessage, 'first\nsecond\n')
      assert.equal(outcome.exitCode, 4)
    },
  },
  {
    group: 'commands',
    name: 'output beyond the bound is cut off and says so, and the command goes on to its end',
    needs: ['shell'],
    async run(scene) {
      const command = `printf '%0${TOO_MUCH_BYTES}d' 0; exit 5`
      const recording = scene.command(await scene.open(), command)
      const { finalMessage, exitCode } = await assertCompleted(recording)
      assert.equal(exitCode, 5)
      assert.ok(finalMessage.startsWith('0000'), 'the beginning is kept')
      assert.ok(Buffer.byteLength(finalMessage) <= scene.maxOutputBytes, `${finalMessage.length} characters were kept`)
      const written = recording.text('stdout')
      assert.ok(Buffer.byteLength(written) <= scene.maxOutputBytes, `${written.length} characters were told`)
      const outputs = recording.events().flatMap((event) => (event.type === 'output' ? [event.data] : []))
      assert.equal(outputs.at(-1)?.truncated, true, 'the last delta says that it was cut off')
    },
  },
  {
    group: 'commands',
    name: 'commands of one session work in one directory',
    needs: ['shell', 'followUps'],
    async run(scene) {
      const session = await scene.open()
      await assertCompleted(scene.command(session, 'echo kept > file.txt'))
      assert.equal((await assertCompleted(scene.command(session, 'cat file.txt'))).finalMessage, 'kept\n')
    },
  },
]
