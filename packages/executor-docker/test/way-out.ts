import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo, Server } from 'node:net'
import { promisify } from 'node:util'
import { silentLog } from '@opencode-gateway/executor-testing'
import { createEgressProxy, parseHostRules, type EgressProxy, type Passed } from '@opencode-gateway/egress-proxy'

/** Hosts outside, and the proxy that leads some of them. */
export interface WayOut {
  readonly proxy: EgressProxy
  /** What went through the proxy. */
  readonly passed: readonly Passed[]
  /** `http://registry.test:port`, which may be connected to. */
  readonly plain: string
  /** `https://registry.test:port`, which may be connected to. */
  readonly secure: string
  /** Connections of `plain` that stand. */
  open(): Promise<number>
  close(): Promise<void>
}

/** All names lead to this machine; `registry.test` and `spare.test` alone may. */
export async function openWayOut(): Promise<WayOut> {
  const answer = 'from outside\n'
  const plain = createServer(({ url }, response) => {
    if (url !== '/never') response.end(answer)
  })
  const secure = createTlsServer(await certificate(), (_request, response) => void response.end(answer))
  const [plainPort, securePort] = [await portOf(plain), await portOf(secure)]
  const rules = parseHostRules(`registry.test:${plainPort},registry.test:${securePort},spare.test:${plainPort}`)
  const public_ = parseHostRules('*')
  if (rules.status !== 'rules' || public_.status !== 'rules') throw new Error('these are no rules')
  const passed: Passed[] = []
  const proxy = createEgressProxy({
    policy: { hosts: public_.rules, privateHosts: rules.rules },
    log: silentLog,
    observe: (one) => void passed.push(one),
    resolve: async () => ['127.0.0.1'],
  })
  return {
    proxy,
    passed,
    plain: `http://registry.test:${plainPort}`,
    secure: `https://registry.test:${securePort}`,
    open: promisify(plain.getConnections.bind(plain)),
    async close() {
      await proxy.close()
      for (const server of [plain, secure]) {
        server.closeAllConnections()
        server.close()
      }
    },
  }
}

async function portOf(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

/** Of nobody: its clients are told not to look. */
async function certificate(): Promise<{ key: string; cert: string }> {
  const made =
    '-x509 -nodes -newkey ec -pkeyopt ec_paramgen_curve:P-256 -subj /CN=registry.test -days 2 -keyout - -out -'
  const { stdout } = await promisify(execFile)('openssl', ['req', ...made.split(' ')])
  return { key: stdout, cert: stdout }
}
