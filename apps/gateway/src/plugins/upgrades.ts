import websocket from '@fastify/websocket'
import { GatewayError } from '@opencode-gateway/contracts'
import fp from 'fastify-plugin'
import { writeAnswer } from '../http/client-error.ts'
import { failureOf } from '../http/failure.ts'

/** Largest message a client may send, in bytes. The sockets here only tell; what a client says is not read. */
const MAX_MESSAGE = 4096

/**
 * Lets routes have WebSockets. Registered before whatever may refuse a request: a refusal is an answer of HTTP, and the
 * connection ends with it.
 */
export const upgrades = fp(
  async (app) => {
    await app.register(websocket, {
      options: { maxPayload: MAX_MESSAGE, clientTracking: false, handleProtocols: () => false },
      // Whoever opened sockets closes them, and tells why.
      preClose: (done) => done(),
      // The socket closes by itself, with the code that says what was wrong with its frames.
      errorHandler: (err, _socket, request) => request.log.debug({ err }, 'the socket broke'),
    })
    app.addHook('onRequest', (request, reply, done) => {
      if (request.ws) reply.header('connection', 'close')
      done()
    })
    app.websocketServer.on('wsClientError', (err, socket) => {
      const text = `The request is no WebSocket handshake of RFC 6455: ${err.message}.`
      writeAnswer(socket, failureOf(new GatewayError('INVALID_REQUEST', text)))
    })
  },
  { name: 'upgrades' },
)
