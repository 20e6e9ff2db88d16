import { AskAnswered, AskAnswerRequest, AskList, AskParams, SessionParams } from '@opencode-gateway/contracts'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { readAnswer } from '../orders/ask-answer.ts'
import { json, problems } from '../openapi/responses.ts'
import { ref } from '../openapi/shared-schemas.ts'
import { askView } from '../views/ask-view.ts'
import { sessionIdOf, type RouteOptions } from './route-options.ts'

const tags = ['sessions']

const list = {
  operationId: 'listAsks',
  tags,
  summary: 'What the agent waits for an answer to, oldest first',
  params: SessionParams,
  response: {
    200: json(ref(AskList), 'The asks; none when the agent waits for nothing.'),
    ...problems('INVALID_REQUEST', 'SESSION_NOT_FOUND'),
  },
}

const answer = {
  operationId: 'answerAsk',
  tags,
  summary: 'Answer a permission request, a question, or a run at its budget',
  description:
    'A permission request takes `{"reply": "once" | "always" | "reject"}`; with a `message` a rejected agent goes on another way, without one its run ends. A question takes `{"answers": [["label", …], …]}`, one list for each question, or `{"reject": true}`. A run at a limit of a budget takes `{"raise": {"calls": 20}}`, which is added to that budget, or `{"stop": true}`; raising one of an API key or of a day needs the scope `budgets:write`. An ask takes one answer; what nobody answers in time is refused.',
  params: AskParams,
  body: ref(AskAnswerRequest),
  response: {
    200: json(ref(AskAnswered), 'The agent has the answer.'),
    ...problems(
      'INVALID_REQUEST',
      'INVALID_JSON',
      'SESSION_NOT_FOUND',
      'ASK_NOT_FOUND',
      'ASK_RESOLVED',
      'PAYLOAD_TOO_LARGE',
      'UNSUPPORTED_MEDIA_TYPE',
      'EXECUTOR_UNAVAILABLE',
    ),
  },
}

export const askRoutes: FastifyPluginAsyncTypebox<RouteOptions> = async (app, { sessions }) => {
  app.get('/sessions/:id/asks', { schema: list }, async (request) => {
    const asks = await sessions.asks(request.client.tenant, sessionIdOf(request))
    return { asks: asks.map((ask) => askView(ask.runId, ask)) }
  })

  app.post('/sessions/:id/asks/:ask_id', { schema: answer }, async (request) => {
    const { body, client, params } = request
    const id = sessionIdOf(request)
    const by = { keyId: client.keyId, mayRaise: client.scopes.includes('budgets:write') }
    await sessions.answer(client.tenant, id, params.ask_id, readAnswer(body), by)
    request.log.info({ sessionId: id, askId: params.ask_id, keyId: client.keyId }, 'an ask is answered')
    return { session_id: id, ask_id: params.ask_id, answer: body }
  })
}
