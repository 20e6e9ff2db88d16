import type { ToolCall } from '@opencode-gateway/scripted-model/parts'
import { permissionOf, permit } from './permit.ts'
import { runShell } from './shell.ts'
import { relativePath, writeFile, type Stage } from './stage.ts'

export interface ToolEnding {
  readonly status: 'completed' | 'error'
  readonly output: string
  readonly exitCode?: number | null
  /** The agent stops after this step. */
  readonly stops?: boolean
}

export interface ToolsOptions {
  nextCallId(): string
  /** Has a sub-agent carry out the prompt. */
  playTask(prompt: string): Promise<ToolEnding>
}

/** Plays the tool calls of one turn, all at once as the engine does. */
export async function playTools(
  calls: readonly ToolCall[],
  stage: Stage,
  options: ToolsOptions,
): Promise<'done' | 'stopped'> {
  stage.signal.throwIfAborted()
  const playing = calls.map((call) => playTool(call, stage, options))
  // All of them have told their end before the run does.
  await Promise.allSettled(playing)
  const endings = await Promise.all(playing)
  return endings.some(({ stops }) => stops) ? 'stopped' : 'done'
}

async function playTool({ name, argumentsText }: ToolCall, stage: Stage, options: ToolsOptions): Promise<ToolEnding> {
  const callId = options.nextCallId()
  const args = readArguments(argumentsText)
  stage.output.push({ type: 'tool_call', data: { call_id: callId, tool: name, args: args ?? argumentsText } })
  const startedAt = performance.now()

  function end(ending: ToolEnding): ToolEnding {
    const { status, output, exitCode } = ending
    stage.output.push({
      type: 'tool_result',
      data: {
        call_id: callId,
        tool: name,
        status,
        result: { output, ...(exitCode === undefined ? {} : { exit_code: exitCode }) },
        ...(status === 'error' ? { error: output } : {}),
        duration_ms: Math.round(performance.now() - startedAt),
      },
    })
    return ending
  }

  if (!args) return end(refuse('the arguments are not a JSON object'))
  try {
    const permission = await permit({ ...permissionOf(name, args, stage), callId }, stage)
    if (permission.kind !== 'granted') return end(refuse(permission.why, permission.kind === 'stopped'))
    return end(await useTool({ name, args, callId }, stage, options))
  } catch (error) {
    end(refuse('the run was stopped'))
    throw error
  }
}

interface ToolUse {
  readonly name: string
  readonly args: Record<string, unknown>
  readonly callId: string
}

async function useTool({ name, args, callId }: ToolUse, stage: Stage, { playTask }: ToolsOptions): Promise<ToolEnding> {
  const path = text(args, 'filePath')
  const before = stage.files.get(relativePath(path, stage.workspacePath))
  switch (name) {
    case 'write':
      writeFile(stage, path, text(args, 'content'))
      return complete('Wrote file successfully.')
    case 'read':
      return before === undefined ? refuse(`File not found: ${path}`) : complete(before)
    case 'edit': {
      const old = text(args, 'oldString')
      if (!before?.includes(old)) return refuse(`Could not find oldString in ${path}`)
      writeFile(
        stage,
        path,
        before.replace(old, () => text(args, 'newString')),
      )
      return complete('Edit applied successfully.')
    }
    case 'bash':
      return await useShell(text(args, 'command'), stage)
    case 'todowrite':
      return writeTodos(args['todos'], stage)
    case 'task':
      return await playTask(text(args, 'prompt'))
    case 'question':
      if (stage.interactive) return await askQuestion(args['questions'], callId, stage)
      return refuse('nobody is there to answer')
    default:
      return refuse(`the fake has no tool "${name}"`)
  }
}

async function useShell(command: string, stage: Stage): Promise<ToolEnding> {
  const written: string[] = []
  const ending = await runShell(command, stage, (_, text) => written.push(text))
  return { ...complete(written.join('')), exitCode: ending.kind === 'exited' ? ending.code : null }
}

async function askQuestion(questions: unknown, callId: string, { asks }: Stage): Promise<ToolEnding> {
  if (!Array.isArray(questions)) return refuse('"questions" must be a list')
  const answer = await asks.question(questions, callId)
  if ('reject' in answer) return refuse('The user dismissed this question', true)
  const told = questions.map(
    ({ question }: { question?: unknown }, at) => `"${String(question)}" = ${answer.answers[at]?.join(', ')}`,
  )
  return complete(`The user answered: ${told.join('; ')}`)
}

function writeTodos(items: unknown, stage: Stage): ToolEnding {
  if (!Array.isArray(items)) return refuse('"todos" must be a list')
  const todos = items.map((item: { content?: unknown; status?: unknown; priority?: unknown }) => ({
    content: String(item.content),
    status: String(item.status),
    priority: String(item.priority),
  }))
  stage.output.push({ type: 'todo', data: { todos } })
  return complete(JSON.stringify(todos))
}

function readArguments(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined
  } catch {
    return undefined
  }
}

function text(args: Record<string, unknown>, name: string): string {
  const value = args[name]
  return typeof value === 'string' ? value : ''
}

function complete(output: string): ToolEnding {
  return { status: 'completed', output }
}

function refuse(output: string, stops = false): ToolEnding {
  return { status: 'error', output, stops }
}
