import {
  containerUser,
  cpus,
  daemonAddress,
  egressHosts,
  imageReference,
  networkName,
  privateEgressHosts,
  runtimeName,
  size,
} from '../docker-parsers.ts'
import * as parse from '../parsers.ts'
import { optional, variable } from '../variable.ts'
import { DAY, SECOND } from './units.ts'

/** The variables of EXECUTOR=docker. */
export const dockerVariables = {
  dockerHost: variable(
    'DOCKER_HOST',
    daemonAddress,
    'unix:///var/run/docker.sock',
    'The Docker daemon, or the gate before it, with EXECUTOR=docker.',
  ),
  image: variable(
    'OPENCODE_IMAGE',
    imageReference,
    'opencode-engine:1.18.33',
    'Image of the engine; with NODE_ENV=production only one that is pinned, by "@sha256:…" or as the id "sha256:…".',
  ),
  dockerPull: variable(
    'DOCKER_PULL',
    parse.oneOf('missing', 'never'),
    'missing',
    'Whether an image that is not there is pulled at the start.',
  ),
  dockerNetwork: variable(
    'DOCKER_NETWORK',
    networkName,
    'none',
    'Network of the containers, which need none: whatever is reachable in another one is reachable for every agent.',
  ),
  dockerEgress: optional(
    'DOCKER_EGRESS',
    egressHosts,
    'Hosts that containers may connect to, through a proxy of the gateway: "host", "host:port", "*.domain" or "*" with commas between, on ports 80 and 443 where none is given. None unless set. A host with an address that is not public is refused all the same.',
  ),
  dockerEgressPrivate: optional(
    'DOCKER_EGRESS_PRIVATE',
    privateEgressHosts,
    'More hosts, in the same form, that containers may connect to whatever address they have: a registry of your own network.',
  ),
  dockerEgressConnections: variable(
    'DOCKER_EGRESS_CONNECTIONS',
    parse.integer(1, 1_000),
    '64',
    'Connections of one container to other hosts at the same time; all containers together have 16 times as many.',
  ),
  dockerRuntime: optional(
    'DOCKER_RUNTIME',
    runtimeName,
    'Runtime of the containers, such as runsc; the default of the daemon unless set.',
  ),
  dockerUser: optional(
    'DOCKER_USER',
    containerUser,
    'Uid, or uid:gid, of the containers; 1000 where the gateway is root, else its own.',
  ),
  dockerMemory: variable(
    'DOCKER_MEMORY',
    size(512 * 1024 ** 2, 1024 ** 4),
    '1g',
    'Memory of one container, /tmp in it included.',
  ),
  dockerCpus: variable('DOCKER_CPUS', cpus, '1', 'Processors of one container; 0.5 is half of one.'),
  dockerPidsLimit: variable(
    'DOCKER_PIDS_LIMIT',
    parse.integer(64, 1_000_000),
    '256',
    'Processes and threads of one container.',
  ),
  dockerIdleMs: variable(
    'DOCKER_IDLE_TIMEOUT',
    parse.duration(SECOND, DAY),
    '5m',
    'How long a container without work is kept; the next run of its session starts another one.',
  ),
  dockerMaxContainers: optional(
    'DOCKER_MAX_CONTAINERS',
    parse.integer(1, 10_000),
    'Containers there may be at the same time; four times MAX_CONCURRENT_SESSIONS unless set. The oldest one without work makes room; while all work, a run that needs another one waits, and then fails with TOO_MANY_CONTAINERS.',
  ),
  dockerMaxStarts: optional(
    'DOCKER_MAX_STARTS',
    parse.integer(1, 1_000),
    'Containers that are started at the same time; as many as there are processors unless set, from 2 to 16. A run whose container waits for its turn has not begun to start.',
  ),
  dockerWarmPool: variable(
    'DOCKER_WARM_POOL',
    parse.integer(0, 100),
    '0',
    'Containers that are started before a session asks for one; each waits with its engine in memory, about 300 MB.',
  ),
}
