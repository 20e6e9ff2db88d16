import type { AskAnswer } from '@opencode-gateway/contracts'
import { createOpencodeClient } from '@opencode-ai/sdk/v2/client'
import { EngineCallError, silence } from './engine-error.ts'
import type { EngineAsk, SessionStatus, StoredMessage } from './engine-model.ts'
import { readRules } from './permission-policy.ts'
import type { EngineRule } from './permission-policy.ts'
import { readAsk, readStatus } from './read-event.ts'
import { readStoredMessage } from './read-message.ts'
import { fieldsOf, listOf, numberOf, optional, textOf } from './read.ts'
import type { Transport } from './transport.ts'

export interface PromptCall {
  sessionId: string
  directory: string
  messageId: string
  /** With both ids given, a prompt may be sent any number of times: the engine carries it out once. */
  partId: string
  text: string
  /** "provider/model" */
  model?: string
  agent?: string
  systemPrompt?: string
  outputSchema?: Record<string, unknown>
}

/** The calls of the engine that we use. Each has a deadline, and throws `EngineCallError` when it failed. */
export interface EngineApi {
  version(signal: AbortSignal): Promise<string | undefined>
  /** Of the providers in use, with the prices of their models; as the engine has it. */
  providers(directory: string, signal: AbortSignal): Promise<unknown>
  createSession(
    options: { directory: string; title: string; rules: readonly EngineRule[] },
    signal: AbortSignal,
  ): Promise<{ id: string; createdAt: number }>
  /**
   * A new session with the conversation of another one, in the directory of that one, whatever it is told. Undefined
   * when the engine does not know that one.
   */
  forkSession(sessionId: string, signal: AbortSignal): Promise<string | undefined>
  /** The session works in another directory from now on; it has a new title too. */
  moveSession(options: { sessionId: string; directory: string; title: string }, signal: AbortSignal): Promise<void>
  /** Undefined when the engine does not know the session. */
  findSession(
    sessionId: string,
    signal: AbortSignal,
  ): Promise<{ directory: string; title: string; rules: readonly EngineRule[]; parentId?: string } | undefined>
  /** The engine's clock, in milliseconds since the epoch. */
  touchSession(sessionId: string, title: string, signal: AbortSignal): Promise<number>
  /** Leaves the session the one rule that allows everything. */
  clearRules(sessionId: string, directory: string, signal: AbortSignal): Promise<void>
  /** Puts rules behind those the session has. */
  addRules(sessionId: string, rules: readonly EngineRule[], signal: AbortSignal): Promise<void>
  deleteSession(sessionId: string, signal: AbortSignal): Promise<void>
  prompt(call: PromptCall, signal: AbortSignal): Promise<void>
  /** Stores a message of the user, which the work that is going on reads; begins none. Returns its id. */
  addMessage(call: Omit<PromptCall, 'messageId' | 'partId'>, signal: AbortSignal): Promise<string | undefined>
  /** Settles when the command has ended; has no deadline of its own. */
  shell(call: { sessionId: string; directory: string; command: string }, signal: AbortSignal): Promise<void>
  abort(sessionId: string, directory: string, signal: AbortSignal): Promise<void>
  /** The newest messages, ascending; `before` is the cursor of the page before. */
  messages(
    options: { sessionId: string; limit: number; before?: string },
    signal: AbortSignal,
  ): Promise<{ messages: readonly StoredMessage[]; before: string | undefined }>
  /** Sessions of the directory that are not idle. */
  busy(directory: string, signal: AbortSignal): Promise<ReadonlyMap<string, SessionStatus>>
  asks(directory: string, signal: AbortSignal): Promise<readonly EngineAsk[]>
  /**
   * Answers a permission request or question; a refusal with a message is read by the model, which goes on. False when
   * the engine does not wait for the answer (any more).
   */
  answer(
    ask: Pick<EngineAsk, 'id'>,
    options: { directory: string; answer: AskAnswer },
    signal: AbortSignal,
  ): Promise<boolean>
  children(sessionId: string, signal: AbortSignal): Promise<readonly string[]>
  disposeDirectory(directory: string, signal: AbortSignal): Promise<void>
}

export function createEngineApi(options: { baseUrl: string; transport: Transport; callTimeoutMs: number }): EngineApi {
  const sdk = createOpencodeClient({
    baseUrl: options.baseUrl,
    fetch: (input) => options.transport.fetch(input instanceof Request ? input : new Request(input)),
  })

  const call = async <T>(
    what: string,
    signal: AbortSignal,
    send: (init: { signal: AbortSignal; throwOnError: true }) => Promise<{ data: T; response: Response }>,
  ) => {
    signal.throwIfAborted()
    const deadline = AbortSignal.timeout(options.callTimeoutMs)
    try {
      return await send({ signal: AbortSignal.any([signal, deadline]), throwOnError: true })
    } catch (error) {
      signal.throwIfAborted()
      if (error instanceof EngineCallError) throw error
      if (deadline.aborted) throw silence(what, new Error(`no answer within ${options.callTimeoutMs} ms`))
      throw silence(what, error)
    }
  }

  return {
    async version(signal) {
      const { data } = await call('the health check', signal, (init) => sdk.global.health(init))
      return fieldsOf(data)?.['healthy'] === true ? textOf(fieldsOf(data)?.['version']) : undefined
    },
    async createSession({ directory, title, rules }, signal) {
      const permission = rules.length > 0 ? [...rules] : undefined
      const parameters = { directory, title, ...optional('permission', permission) }
      const { data } = await call('a new session', signal, (init) => sdk.session.create(parameters, init))
      const id = textOf(fieldsOf(data)?.['id'])
      const createdAt = numberOf(fieldsOf(fieldsOf(data)?.['time'])?.['created'])
      if (id === undefined || createdAt === undefined) {
        throw incompatible('the engine answered a new session without its id and time')
      }
      return { id, createdAt }
    },
    async forkSession(sessionID, signal) {
      const answer = await orMissing(call('a fork', signal, (init) => sdk.session.fork({ sessionID }, init)))
      if (answer === undefined) return undefined
      const id = textOf(fieldsOf(answer.data)?.['id'])
      if (id === undefined) throw incompatible('the engine answered a fork without its id')
      return id
    },
    async moveSession({ sessionId: sessionID, directory, title }, signal) {
      const move = { sessionID, destination: { directory }, moveChanges: false }
      await call('a move', signal, (init) => sdk.experimental.controlPlane.moveSession(move, init))
      await call('a session update', signal, (init) => sdk.session.update({ sessionID, title }, init))
    },
    async findSession(sessionID, signal) {
      const answer = await orMissing(call('a session', signal, (init) => sdk.session.get({ sessionID }, init)))
      const session = fieldsOf(answer?.data)
      const directory = textOf(session?.['directory'])
      if (directory === undefined) return undefined
      return {
        directory,
        title: textOf(session?.['title']) ?? '',
        rules: readRules(session?.['permission']),
        ...optional('parentId', textOf(session?.['parentID'])),
      }
    },
    async providers(directory, signal) {
      const { data } = await call('the providers', signal, (init) => sdk.config.providers({ directory }, init))
      return data
    },
    async touchSession(sessionID, title, signal) {
      const { data } = await call('a session update', signal, (init) => sdk.session.update({ sessionID, title }, init))
      const updatedAt = numberOf(fieldsOf(fieldsOf(data)?.['time'])?.['updated'])
      if (updatedAt !== undefined) return updatedAt
      throw incompatible('the engine answered a session update without its time')
    },
    async clearRules(sessionID, directory, signal) {
      // Rules are replaced by a message alone, which then has to go again.
      const parameters = { sessionID, directory, noReply: true, tools: { '*': true }, parts: [] }
      const { data } = await call('the end of rules', signal, (init) => sdk.session.prompt(parameters, init))
      const messageID = textOf(fieldsOf(fieldsOf(data)?.['info'])?.['id'])
      if (messageID === undefined) return
      const message = { sessionID, messageID, directory }
      await orMissing(call('the removal of a message', signal, (init) => sdk.session.deleteMessage(message, init)))
    },
    async addRules(sessionID, rules, signal) {
      const parameters = { sessionID, permission: [...rules] }
      await call('the rules of a session', signal, (init) => sdk.session.update(parameters, init))
    },
    async deleteSession(sessionID, signal) {
      await orMissing(call('the removal of a session', signal, (init) => sdk.session.delete({ sessionID }, init)))
    },
    async prompt({ messageId, partId, text, ...rest }, signal) {
      const parameters = {
        ...promptParameters(rest),
        messageID: messageId,
        parts: [{ id: partId, type: 'text' as const, text }],
      }
      await call('the prompt', signal, (init) => sdk.session.promptAsync(parameters, init))
    },
    async addMessage({ text, ...rest }, signal) {
      const parameters = { ...promptParameters(rest), noReply: true, parts: [{ type: 'text' as const, text }] }
      const { data } = await call('a message', signal, (init) => sdk.session.prompt(parameters, init))
      return textOf(fieldsOf(fieldsOf(data)?.['info'])?.['id'])
    },
    async shell({ sessionId, directory, command }, signal) {
      const parameters = { sessionID: sessionId, directory, agent: 'build', command }
      await sdk.session.shell(parameters, { signal, throwOnError: true })
    },
    async abort(sessionID, directory, signal) {
      await call('the abort', signal, (init) => sdk.session.abort({ sessionID, directory }, init))
    },
    async messages({ sessionId, limit, before }, signal) {
      const parameters = { sessionID: sessionId, limit, ...optional('before', before) }
      const { data, response } = await call('the messages', signal, (init) => sdk.session.messages(parameters, init))
      const messages = listOf(data).flatMap((message) => readStoredMessage(message) ?? [])
      return { messages, before: response.headers.get('x-next-cursor') ?? undefined }
    },
    async busy(directory, signal) {
      const { data } = await call('the status', signal, (init) => sdk.session.status({ directory }, init))
      const entries = Object.entries(fieldsOf(data) ?? {}).map(([id, status]) => [id, readStatus(status)] as const)
      return new Map(entries.filter(([, status]) => status.type !== 'idle'))
    },
    async asks(directory, signal) {
      const [permissions, questions] = await Promise.all([
        call('the permission requests', signal, (init) => sdk.permission.list({ directory }, init)),
        call('the questions', signal, (init) => sdk.question.list({ directory }, init)),
      ])
      return [
        ...listOf(permissions.data).flatMap((ask) => readAsk('permission', ask) ?? []),
        ...listOf(questions.data).flatMap((ask) => readAsk('question', ask) ?? []),
      ]
    },
    async answer({ id: requestID }, { directory, answer }, signal) {
      const reply = call('the answer to a request', signal, (init) => {
        if ('reply' in answer) return sdk.permission.reply({ requestID, directory, ...answer }, init)
        if ('reject' in answer) return sdk.question.reject({ requestID, directory }, init)
        const answers = answer.answers.map((choices) => [...choices])
        return sdk.question.reply({ requestID, directory, answers }, init)
      })
      return (await orMissing<unknown>(reply)) !== undefined
    },
    async children(sessionID, signal) {
      const answer = await orMissing(
        call('the sub-sessions', signal, (init) => sdk.session.children({ sessionID }, init)),
      )
      return listOf(answer?.data).flatMap((child) => textOf(fieldsOf(child)?.['id']) ?? [])
    },
    async disposeDirectory(directory, signal) {
      await call('the end of a directory', signal, (init) => sdk.instance.dispose({ directory }, init))
    },
  }
}

const incompatible = (message: string): EngineCallError => new EngineCallError({ code: 'ENGINE_INCOMPATIBLE', message })

async function orMissing<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer
  } catch (error) {
    if (error instanceof EngineCallError && error.status === 404) return undefined
    throw error
  }
}

function promptParameters({
  sessionId,
  directory,
  model,
  agent,
  systemPrompt,
  outputSchema,
}: Omit<PromptCall, 'messageId' | 'partId' | 'text'>) {
  return {
    sessionID: sessionId,
    directory,
    ...optional('model', model === undefined ? undefined : splitModel(model)),
    ...optional('agent', agent),
    ...optional('system', systemPrompt),
    ...optional('format', outputSchema && { type: 'json_schema' as const, schema: outputSchema }),
  }
}

function splitModel(model: string): { providerID: string; modelID: string } {
  const [providerID = '', ...rest] = model.split('/')
  return { providerID, modelID: rest.join('/') }
}
