import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { GatewayError } from '@opencode-gateway/contracts'
import fp from 'fastify-plugin'
import { lastAnswer, writeAnswer } from '../http/client-error.ts'
import { failureOf } from '../http/failure.ts'
import { headerValues } from '../http/header-values.ts'

/** What Node refuses by itself, with an empty answer or none, is refused here with a problem like everything else. */
export const httpRules = fp(
  (app) => {
    app.addHook('onRequest', (request, _reply, done) => {
      const { length: hosts } = headerValues(request.raw, 'host')
      if (hosts === 1 || (hosts === 0 && request.raw.httpVersion === '1.0')) return done()
      done(new GatewayError('INVALID_REQUEST', `The request has ${hosts} Host headers. Send one.`))
    })
    app.server.on('checkExpectation', (request: IncomingMessage, response: ServerResponse) => {
      const got = JSON.stringify(request.headers.expect?.slice(0, 80))
      const text = `The expectation ${got} is not met; "100-continue" is the only one that is.`
      const { status, headers, body } = lastAnswer(failureOf(new GatewayError('EXPECTATION_FAILED', text)))
      response.writeHead(status, headers).end(body)
    })
    app.server.on('connect', (_request: IncomingMessage, socket: Duplex) => {
      const err = new GatewayError('METHOD_NOT_ALLOWED', 'The gateway is no proxy: it has no CONNECT.')
      writeAnswer(socket, failureOf(err))
    })
  },
  { name: 'http-rules' },
)
