import assert from 'node:assert/strict'
import type { ConformanceCase } from '../case.ts'
import { assertCompleted } from '../checks.ts'
import { lines } from '../lines.ts'
import type { Recording } from '../recording.ts'

/** Everything that quoting, JSON or a template could spoil. */
export const awkwardText = `it's "quoted" \\ $HOME \`date\` $(id) {{x}} %s <b>&amp; ünï 漢字 😀\nsecond line\ttab`

export const contentCases: readonly ConformanceCase[] = [
  {
    group: 'content',
    name: 'awkward characters arrive as they are',
    async run(scene) {
      const recording = scene.prompt(await scene.open(), [lines.say(awkwardText)])
      assert.equal((await assertCompleted(recording)).finalMessage, awkwardText)
      assert.equal(recording.text('text'), awkwardText)
    },
  },
  {
    group: 'content',
    name: 'a written file is told by its path, and holds what was written',
    async run(scene) {
      const steps = [lines.write('note.txt', awkwardText), lines.run('cat note.txt'), lines.say('written')]
      const recording = scene.prompt(await scene.open(), steps)
      await assertCompleted(recording)
      const paths = recording.events().flatMap((event) => (event.type === 'file' ? [event.data.path] : []))
      assert.deepEqual([...new Set(paths)], ['note.txt'])
      assert.equal(toolResult(recording, 'bash').output, awkwardText)
    },
  },
  {
    group: 'content',
    name: 'an edited file holds the edit',
    async run(scene) {
      const edit = { filePath: 'a.txt', oldString: 'one', newString: 'two' }
      const steps = [lines.write('a.txt', 'one'), lines.read('a.txt'), lines.tool('edit', edit), lines.run('cat a.txt')]
      const recording = scene.prompt(await scene.open(), steps)
      await assertCompleted(recording)
      assert.equal(toolResult(recording, 'bash').output, 'two')
    },
  },
  {
    group: 'content',
    name: "the result of the agent's command has its output and its exit code",
    async run(scene) {
      const recording = scene.prompt(await scene.open(), [lines.run('echo partly; exit 3'), lines.say('it failed')])
      await assertCompleted(recording)
      const result = toolResult(recording, 'bash')
      assert.match(result.output, /partly/)
      assert.equal(result.exit_code, 3)
    },
  },
  {
    group: 'content',
    name: 'a failing tool is a result with an error, not a failed run',
    async run(scene) {
      const recording = scene.prompt(await scene.open(), [lines.read('missing.txt'), lines.say('not there')])
      assert.equal((await assertCompleted(recording)).finalMessage, 'not there')
      const results = recording.events().flatMap((event) => (event.type === 'tool_result' ? [event.data.status] : []))
      assert.deepEqual(results, ['error'])
    },
  },
  {
    group: 'content',
    name: 'the list of things to do is told whole',
    async run(scene) {
      const recording = scene.prompt(await scene.open(), [
        lines.todo('plan', '[x] start', '[>] go on'),
        lines.say('ok'),
      ])
      await assertCompleted(recording)
      const last = recording.events().findLast((event) => event.type === 'todo')
      assert.deepEqual(
        last?.data.todos.map(({ content, status }) => `${content}: ${status}`),
        ['plan: pending', 'start: completed', 'go on: in_progress'],
      )
    },
  },
  {
    group: 'content',
    name: 'usage is the sum of all model calls',
    async run(scene) {
      const steps = [lines.usage(100, 10), lines.run('true'), lines.usage(200, 20), lines.say('ok')]
      const { usage } = await assertCompleted(scene.prompt(await scene.open(), steps))
      assert.equal(usage.model_calls, 2)
      assert.equal(usage.tokens.input, 300)
      assert.equal(usage.tokens.output, 30)
    },
  },
  {
    group: 'content',
    name: 'what sub-agents cost counts, and what they say is not what the run says',
    async run(scene) {
      const child = lines.task(lines.usage(1000, 100), lines.say('from below'))
      const recording = scene.prompt(await scene.open(), [
        lines.usage(1, 1),
        child,
        lines.usage(1, 1),
        lines.say('done'),
      ])
      const { usage, finalMessage } = await assertCompleted(recording)
      assert.deepEqual([usage.model_calls, usage.tokens.input, usage.tokens.output], [3, 1002, 102])
      assert.equal(recording.text('text'), 'done')
      assert.equal(finalMessage, 'done')
    },
  },
  {
    group: 'content',
    name: 'a model call that fails in passing is told as a retry',
    async run(scene) {
      const recording = scene.prompt(await scene.open(), [lines.error(500), lines.say('at last')])
      assert.equal((await assertCompleted(recording)).finalMessage, 'at last')
      assert.ok(
        recording.events().some((event) => event.type === 'retry'),
        'a retry event',
      )
    },
  },
  {
    group: 'content',
    name: 'the system prompt reaches the model',
    needs: ['option:system_prompt'],
    async run(scene) {
      const systemPrompt = 'Always be brief, marker 4711.'
      const recording = scene.prompt(await scene.open(), [lines.echo('system')], { systemPrompt })
      assert.match((await assertCompleted(recording)).finalMessage, /marker 4711/)
    },
  },
  {
    group: 'content',
    name: 'an answer to a schema is there as a value',
    needs: ['option:output_schema'],
    async run(scene) {
      const outputSchema = { type: 'object', properties: { count: { type: 'integer' } }, required: ['count'] }
      const answer = [lines.tool('StructuredOutput', { count: 7 })]
      const outcome = await assertCompleted(scene.prompt(await scene.open(), answer, { outputSchema }))
      assert.deepEqual(outcome.structured, { count: 7 })
    },
  },
]

function toolResult(recording: Recording, tool: string): { output: string; exit_code?: number | null } {
  for (const { type, data } of recording.events()) if (type === 'tool_result' && data.tool === tool) return data.result
  assert.fail(`no result of the tool "${tool}"`)
}
