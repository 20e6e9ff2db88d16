import path from 'node:path'
import type { ToolPart, ToolState } from './engine-model.ts'
import { fieldsOf, listOf, numberOf, optional, textOf } from './read.ts'
import type { CallView, Emit, ReduceContext, RunView } from './run-view.ts'
import { continueOutput } from './running-output.ts'
import { takeOne } from './told.ts'

type Ended = Extract<ToolState, { status: 'completed' | 'error' }>

const NO_OUTPUT = '(no output)'
const MAX_RESULT = 64 * 1024
const MAX_METADATA = 16 * 1024

/** A tool call, told when its arguments are known and when it has ended. Of sub-agents only the changed files are told. */
export function reduceTool(view: RunView, part: ToolPart, root: boolean, context: ReduceContext, emit: Emit): void {
  const { state, callId, tool } = part
  if (state.status === 'pending') return
  const call = view.calls.get(part.id) ?? newCall(view, part)
  view.calls.set(part.id, call)
  if (call.ended) return
  call.path = changedPath(tool, state.input)
  if (root && !call.called) {
    const { title } = state
    emit({ type: 'tool_call', data: { call_id: callId, tool, args: state.input, ...optional('title', title) } })
  }
  call.called = true
  const output = shownOutput(state)
  if (root && output !== undefined) tellOutput(part.id, call, output, context.maxToolOutput, emit)
  if (state.status === 'running') return
  call.ended = true
  call.seen = { total: call.seen.total, window: '' }
  if (root) tellResult(part, state, emit)
  if (state.status === 'completed') tellFiles(view, tool, state, emit)
}

function newCall({ told }: RunView, { id, callId }: ToolPart): CallView {
  return {
    called: takeOne(told.calls, callId),
    ended: takeOne(told.results, callId),
    seen: { total: told.characters.get(id) ?? 0, window: '' },
    cut: told.cutParts.has(id),
    path: undefined,
  }
}

/** True while a tool of this run works on the file: its result tells the change. */
export function isBeingChanged(view: RunView, file: string): boolean {
  for (const call of view.calls.values()) {
    if (!call.ended && call.path !== undefined && path.resolve(view.directory, call.path) === file) return true
  }
  return false
}

/** The path below the directory, or undefined for one outside of it. */
export function relativePath(directory: string, file: string): string | undefined {
  const relative = path.relative(directory, path.resolve(directory, file))
  return relative === '' || relative.startsWith('..') ? undefined : relative
}

/** The engine repeats what a tool wrote with every update; what follows on what was told is new. */
function tellOutput(partId: string, call: CallView, shown: string, maxToolOutput: number, emit: Emit): void {
  if (call.cut) return
  const next = continueOutput(call.seen, shown)
  const room = Math.max(0, maxToolOutput - call.seen.total)
  const text = next?.text.slice(0, room) ?? ''
  call.cut = next === undefined || text.length < next.text.length
  if (next) call.seen = next.seen
  if (text === '' && !call.cut) return
  const truncated = call.cut ? { truncated: true } : {}
  emit({ type: 'output', data: { type: 'stdout', text, part_id: partId, ...truncated } })
}

/** What the engine shows of a tool's output. The words for none are its own, not the tool's. */
function shownOutput(state: Exclude<ToolState, { status: 'pending' }>): string | undefined {
  if (state.status === 'running') return state.output
  const output = textOf(state.metadata['output'])
  return output === NO_OUTPUT ? undefined : output
}

function tellResult({ callId, tool }: ToolPart, state: Ended, emit: Emit): void {
  const exit = state.metadata['exit']
  const { output: _output, ...metadata } = state.metadata
  const small = Object.keys(metadata).length > 0 && JSON.stringify(metadata).length <= MAX_METADATA
  emit({
    type: 'tool_result',
    data: {
      call_id: callId,
      tool,
      status: state.status,
      result: {
        output: state.output.slice(0, MAX_RESULT),
        ...optional('exit_code', exit === null ? null : numberOf(exit)),
        ...optional('metadata', small ? metadata : undefined),
      },
      ...optional('error', state.error),
      duration_ms: Math.max(0, Math.round(state.endedAt - state.startedAt)),
    },
  })
}

function changedPath(tool: string, input: unknown): string | undefined {
  return tool === 'write' || tool === 'edit' ? textOf(fieldsOf(input)?.['filePath']) : undefined
}

function tellFiles(view: RunView, tool: string, state: Ended, emit: Emit): void {
  for (const { file, change } of filesOf(tool, state)) {
    const relative = relativePath(view.directory, file)
    if (relative === undefined) continue
    if (change === 'deleted') view.toolFiles.delete(relative)
    else view.toolFiles.add(relative)
    if (takeOne(view.told.files, `${change} ${relative}`)) continue
    emit({ type: 'file', data: { path: relative, change } })
  }
}

function filesOf(tool: string, state: Ended): readonly { file: string; change: 'created' | 'modified' | 'deleted' }[] {
  const file = changedPath(tool, state.input)
  if (tool === 'write' && file) return [{ file, change: state.metadata['exists'] === false ? 'created' : 'modified' }]
  if (tool === 'edit' && file) {
    const created = textOf(fieldsOf(state.input)?.['oldString']) === ''
    return [{ file, change: created ? 'created' : 'modified' }]
  }
  if (tool !== 'apply_patch') return []
  const changes = { add: 'created', delete: 'deleted' } as const
  return listOf(state.metadata['files']).flatMap((entry) => {
    const fields = fieldsOf(entry)
    const patched = textOf(fields?.['filePath']) ?? textOf(fields?.['relativePath'])
    if (patched === undefined) return []
    return [{ file: patched, change: changes[fields?.['type'] as keyof typeof changes] ?? 'modified' }]
  })
}
