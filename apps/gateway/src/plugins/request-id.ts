import fp from 'fastify-plugin'

/** Every response says under which id the logs know its request. */
export const requestId = fp(
  (app) => {
    app.addHook('onRequest', (request, reply, done) => {
      reply.header('x-request-id', request.id)
      done()
    })
  },
  { name: 'request-id' },
)
