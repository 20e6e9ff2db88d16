import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseScript } from '../src/script.ts'

function call(name: string, args: unknown): unknown {
  return { kind: 'tools', calls: [{ name, argumentsText: JSON.stringify(args) }] }
}

test('a prompt without a script line is no script', () => {
  for (const prompt of [
    'Say hello',
    'Please note: write: a.txt | b',
    'Rewrite: a | b',
    'error: cannot find module "x"',
    'loop over the files',
    'Write: capital | letters',
    'write:',
    '',
  ]) {
    assert.equal(parseScript(prompt), undefined, prompt)
  }
})

test('a tool line ends a turn, other lines gather in it', () => {
  assert.deepEqual(parseScript('think: hm\nsay: I write\nwrite: a.txt | one\nsay: bye'), [
    [
      { kind: 'think', text: 'hm' },
      { kind: 'say', text: 'I write' },
      call('write', { filePath: 'a.txt', content: 'one' }),
    ],
    [{ kind: 'say', text: 'bye' }],
  ])
})

test('a leading plus joins a tool line to the one before', () => {
  const turns = parseScript('run: true\n+ read: a.txt\n+ run: false\nrun: last')
  assert.deepEqual(turns, [
    [
      {
        kind: 'tools',
        calls: [
          { name: 'bash', argumentsText: '{"command":"true"}' },
          { name: 'read', argumentsText: '{"filePath":"a.txt"}' },
          { name: 'bash', argumentsText: '{"command":"false"}' },
        ],
      },
    ],
    [call('bash', { command: 'last' })],
  ])
})

test('each tool line becomes the call the engine knows', () => {
  const cases: [string, unknown][] = [
    [
      'write: dir/a.txt | one\\ntwo | three \\\\ four',
      call('write', { filePath: 'dir/a.txt', content: 'one\ntwo | three \\ four' }),
    ],
    ['write: empty.txt |', call('write', { filePath: 'empty.txt', content: '' })],
    ['edit: a | old \\| bar | new', call('edit', { filePath: 'a', oldString: 'old | bar', newString: 'new' })],
    ["run: printf '%s\\n' a | wc -l", call('bash', { command: "printf '%s\\n' a | wc -l" })],
    [
      'task: write: b \\| sub\\nsay: child',
      call('task', { description: 'Scripted task', prompt: 'write: b | sub\nsay: child', subagent_type: 'general' }),
    ],
    [
      'todo: [x] a | [>] b | c',
      call('todowrite', {
        todos: [
          { content: 'a', status: 'completed', priority: 'medium' },
          { content: 'b', status: 'in_progress', priority: 'medium' },
          { content: 'c', status: 'pending', priority: 'medium' },
        ],
      }),
    ],
    [
      'question: Colour | Which one? | red | blue',
      call('question', {
        questions: [
          {
            header: 'Colour',
            question: 'Which one?',
            options: [
              { label: 'red', description: 'red' },
              { label: 'blue', description: 'blue' },
            ],
          },
        ],
      }),
    ],
    ['tool: glob {"pattern":"*"}', { kind: 'tools', calls: [{ name: 'glob', argumentsText: '{"pattern":"*"}' }] }],
    ['tool: nosuch {bad', { kind: 'tools', calls: [{ name: 'nosuch', argumentsText: '{bad' }] }],
    ['tool: bare', { kind: 'tools', calls: [{ name: 'bare', argumentsText: '{}' }] }],
  ]
  for (const [line, step] of cases) assert.deepEqual(parseScript(line), [[step]], line)
})

test('each other line becomes its step', () => {
  const forever = Number.POSITIVE_INFINITY
  const cases: [string, unknown][] = [
    ['slow: 20 x 50', { kind: 'slow', count: 20, delayMs: 50 }],
    ['slow: 3x10ms', { kind: 'slow', count: 3, delayMs: 10 }],
    ['long: 100000', { kind: 'long', bytes: 100_000 }],
    ['gate: before tests', { kind: 'gate', name: 'before tests' }],
    ['echo: system, model', { kind: 'echo', fields: ['system', 'model'] }],
    ['usage: 10 20', { kind: 'usage', usage: { input: 10, output: 20, cached: 0, reasoning: 0 } }],
    ['usage: 10 20 3 4', { kind: 'usage', usage: { input: 10, output: 20, cached: 3, reasoning: 4 } }],
    ['finish: length', { kind: 'finish', reason: 'length' }],
    ['nofinish', { kind: 'nofinish' }],
    ['loop', { kind: 'loop', calls: [], reason: 'tool_calls' }],
    ['loop: nofinish', { kind: 'loop', calls: [], reason: undefined }],
    [
      'loop: run: true',
      { kind: 'loop', calls: [{ name: 'bash', argumentsText: '{"command":"true"}' }], reason: 'tool_calls' },
    ],
    ['drop', { kind: 'drop', times: 1 }],
    ['drop: times=3', { kind: 'drop', times: 3 }],
    ['hang', { kind: 'hang', times: forever }],
    ['hangbefore times=2', { kind: 'hangbefore', times: 2 }],
    [
      'error: 429 retry-after=2 times=3 slow down',
      { kind: 'error', status: 429, code: 'scripted_error', message: 'slow down', retryAfter: '2', times: 3 },
    ],
    [
      'error: 500',
      {
        kind: 'error',
        status: 500,
        code: 'scripted_error',
        message: 'scripted error 500',
        retryAfter: undefined,
        times: 1,
      },
    ],
  ]
  for (const [line, step] of cases) assert.deepEqual(parseScript(line), [[step]], line)
})

test('in a script a line that cannot be read is answered with its reason, and plain text is ignored', () => {
  const turns = parseScript('Dear model,\nwrite: only-a-path\nsay: ok')
  const [first, ...rest] = turns?.[0] ?? []
  assert.equal(first?.kind, 'say')
  assert.match(first.text, /cannot read the line "write: only-a-path": it needs "path \| content"/)
  assert.deepEqual(rest, [{ kind: 'say', text: 'ok' }])
})

test('numbers out of bounds are refused', () => {
  for (const line of ['long: 99999999999', 'slow: 5 x 99999999999', 'usage: 1', 'drop: times=-1', 'error: 200']) {
    const text = parseScript(`say: x\n${line}`)?.[0]?.[1]
    assert.equal(text?.kind, 'say', line)
  }
})
