import { UsageReport, UsageReportQuery, type UsageLog } from '@opencode-gateway/contracts'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { problems } from '../openapi/responses.ts'
import { ref } from '../openapi/shared-schemas.ts'
import { usageCsv, usageReport } from '../views/usage-report.ts'

const CSV = 'text/csv'

const schema = {
  operationId: 'getUsage',
  tags: ['gateway'],
  summary: 'What models were used for, by day, key, session or run',
  description:
    'Counted on the way to the providers: every call, sub-agents, titles and summaries included. It stays when sessions are deleted; of those that are forgotten, by day and key alone. Tokens of calls that were broken off are estimated where the provider had not told them.',
  querystring: ref(UsageReportQuery),
  response: {
    200: {
      description: 'The rows, in the order of group and model.',
      content: { 'application/json': { schema: ref(UsageReport) }, [CSV]: { schema: { type: 'string' } } },
    },
    ...problems('INVALID_REQUEST'),
  },
}

export const usageRoutes: FastifyPluginAsyncTypebox<{ usageLog: Pick<UsageLog, 'reportUsage'> }> = async (
  app,
  { usageLog },
) => {
  app.get('/usage', { schema }, async ({ query, client }, reply) => {
    const { by = 'day', format = 'json', limit = 1000, session_id: sessionId, run_id: runId, from, to } = query
    const rows = await usageLog.reportUsage({
      tenant: client.tenant,
      by,
      limit,
      ...(sessionId === undefined ? {} : { sessionId }),
      ...(runId === undefined ? {} : { runId }),
      ...(from === undefined ? {} : { from }),
      ...(to === undefined ? {} : { to }),
    })
    const report = usageReport(by, rows)
    if (format === 'json') return report
    return reply.type(`${CSV}; charset=utf-8`).header('cache-control', 'no-store').send(usageCsv(report))
  })
}
