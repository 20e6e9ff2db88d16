import type { goodBody } from './scene.ts'

type Body = ReturnType<typeof goodBody>

/** Each takes a good body and makes of it what must not pass: another body, or its text. */
export interface HostileBody {
  name: string
  make(body: Body): unknown
}

const host = (more: object) => (body: Body) => ({ ...body, HostConfig: { ...body.HostConfig, ...more } })
const top = (more: object) => (body: Body) => ({ ...body, ...more })
const mount = (more: object) => (body: Body) =>
  host({ Mounts: body.HostConfig.Mounts.map((one) => ({ ...one, ...more })) })(body)
const text = (change: (text: string) => string) => (body: Body) => change(JSON.stringify(body))
const one = (label: string, make: HostileBody['make']): HostileBody => ({ name: label, make })

/** `{"a":1}` with a member more, which JSON.stringify would not write twice. */
const twice = (member: string) => text((good) => good.replace('"HostConfig":{', `"HostConfig":{${member},`))

const added: readonly (readonly [string, unknown])[] = [
  ['Binds', ['/:/host']],
  ['Binds', ['/var/run/docker.sock:/run/docker.sock']],
  ['binds', ['/:/host']],
  // Go folds the long s to an s, too.
  ['Bindſ', ['/:/host']],
  ['CapAdd', ['SYS_ADMIN']],
  ['capadd', ['ALL']],
  ['privileged', true],
  ['PRIVILEGED', true],
  ['privilegeD', true],
  ['Privıleged', true],
  ['Devices', [{ PathOnHost: '/dev/sda', PathInContainer: '/dev/sda', CgroupPermissions: 'rwm' }]],
  ['DeviceCgroupRules', ['a *:* rwm']],
  ['DeviceRequests', [{ Count: -1, Capabilities: [['gpu']] }]],
  ['PidMode', 'host'],
  ['pidmode', 'host'],
  ['UTSMode', 'host'],
  ['UsernsMode', 'host'],
  ['CgroupnsMode', 'host'],
  ['CgroupParent', '/'],
  ['VolumesFrom', ['another']],
  ['VolumeDriver', 'local'],
  ['PortBindings', { '4096/tcp': [{ HostPort: '4096' }] }],
  ['PublishAllPorts', true],
  ['ExtraHosts', ['metadata:169.254.169.254']],
  ['Links', ['another:alias']],
  ['GroupAdd', ['0']],
  ['OomScoreAdj', -1000],
  ['OomKillDisable', true],
  ['Sysctls', { 'kernel.core_pattern': '|/workspace/x' }],
  ['StorageOpt', { size: '1T' }],
  ['ShmSize', 1e12],
  ['MaskedPaths', []],
  ['ReadonlyPaths', []],
  ['AutoRemove', true],
  ['ContainerIDFile', '/etc/passwd'],
  ['BlkioWeight', 1000],
  ['CpuRealtimeRuntime', 950_000],
  ['Isolation', 'process'],
]

const changed: readonly (readonly [string, unknown])[] = [
  ['Privileged', true],
  ['Privileged', 'true'],
  ['Privileged', 1],
  ['NetworkMode', 'host'],
  ['NetworkMode', 'bridge'],
  ['NetworkMode', 'container:another'],
  ['NetworkMode', ''],
  ['IpcMode', 'host'],
  ['IpcMode', 'shareable'],
  ['CapDrop', []],
  ['CapDrop', null],
  ['CapDrop', ['ALL', 'CHOWN']],
  ['SecurityOpt', []],
  ['SecurityOpt', ['seccomp=unconfined']],
  ['SecurityOpt', ['no-new-privileges:true', 'apparmor=unconfined']],
  ['SecurityOpt', ['no-new-privileges:false']],
  ['ReadonlyRootfs', false],
  ['Init', false],
  ['Runtime', 'another'],
  ['Memory', 0],
  ['Memory', -1],
  ['Memory', 1e15],
  ['Memory', '64m'],
  ['MemorySwap', -1],
  ['NanoCpus', 0],
  ['NanoCpus', 64e9],
  ['PidsLimit', 0],
  ['PidsLimit', -1],
  ['PidsLimit', 1e6],
  ['Tmpfs', { '/tmp': 'rw,exec,suid,dev,size=1048576' }],
  ['Tmpfs', { '/etc': 'rw,exec,nosuid,nodev,size=1048576,mode=1777' }],
  ['Tmpfs', { '/tmp': 'rw,exec,nosuid,nodev,size=999999999999,mode=1777' }],
  ['Tmpfs', {}],
  ['Ulimits', [{ Name: 'nofile', Soft: 1e9, Hard: 1e9 }]],
  ['Ulimits', [{ Name: 'memlock', Soft: 1, Hard: 1 }]],
  [
    'Ulimits',
    [
      { Name: 'core', Soft: 0, Hard: 0 },
      { Name: 'core', Soft: 9, Hard: 9 },
    ],
  ],
  ['LogConfig', { Type: 'syslog', Config: { 'syslog-address': 'tcp://203.0.113.1:514' } }],
  ['LogConfig', { Type: 'json-file', Config: {} }],
  ['RestartPolicy', { Name: 'always' }],
]

export const hostileBodies: readonly HostileBody[] = [
  ...added.map(([name, value]) => one(`HostConfig.${name} = ${JSON.stringify(value)}`, host({ [name]: value }))),
  ...changed.map(([name, value]) => one(`HostConfig.${name} = ${JSON.stringify(value)}`, host({ [name]: value }))),
  ...['Image', 'User', 'WorkingDir', 'Env', 'Labels', 'HostConfig'].map((name) =>
    one(`no ${name}`, (body) => Object.fromEntries(Object.entries(body).filter(([other]) => other !== name))),
  ),
  one('another image', top({ Image: 'node:24-bookworm-slim' })),
  one('an image in capitals of its name', top({ image: 'node:24-bookworm-slim' })),
  one('root', top({ User: '0:0' })),
  one('the group root', top({ User: '1000:0' })),
  one('another user of the machine', top({ User: '1001:1000' })),
  one('another group of the machine', top({ User: '1000:999' })),
  one('root by name', top({ User: 'root' })),
  one('no user', top({ User: '' })),
  one('a command', top({ Cmd: ['sh'] })),
  one('another entry point', top({ Entrypoint: ['sh', '-c', 'id'] })),
  one('a health check that runs', top({ Healthcheck: { Test: ['CMD-SHELL', 'id'] } })),
  one('anonymous volumes', top({ Volumes: { '/etc': {} } })),
  one('a host name', top({ Hostname: 'localhost' })),
  one('networks by another way', top({ NetworkingConfig: { EndpointsConfig: { bridge: {} } } })),
  one('ports', top({ ExposedPorts: { '22/tcp': {} } })),
  one('a terminal', top({ Tty: true })),
  one('standard input', top({ OpenStdin: true })),
  one('the label of the gate', (body) => ({ ...body, Labels: { ...body.Labels, 'opencode-gateway.gate': 'another' } })),
  one('a label of compose', (body) => ({ ...body, Labels: { ...body.Labels, 'com.docker.compose.project': 'x' } })),
  one('an owner with a line break', (body) => ({
    ...body,
    Labels: { ...body.Labels, 'opencode-gateway.owner': 'a\nb' },
  })),
  one('an environment entry without a name', top({ Env: ['=x'] })),
  one('an environment that is no list', top({ Env: { HOME: '/' } })),
  one('a mount of /', mount({ Source: '/' })),
  one('a mount of /etc', mount({ Source: '/etc' })),
  one('a mount of the socket', mount({ Source: '/var/run/docker.sock' })),
  one('a mount of the root itself', (body) =>
    mount({ Source: body.HostConfig.Mounts[0]?.Source.replace(/\/one$/, '') })(body),
  ),
  one('a mount by ..', (body) => mount({ Source: `${body.HostConfig.Mounts[0]?.Source}/../../..` })(body)),
  one('a mount by .. and back', (body) => mount({ Source: `${body.HostConfig.Mounts[0]?.Source}/../one` })(body)),
  one('a mount with a slash at its end', (body) => mount({ Source: `${body.HostConfig.Mounts[0]?.Source}/` })(body)),
  one('a mount of what is beside', (body) =>
    mount({ Source: body.HostConfig.Mounts[0]?.Source.replace(/\/one$/, '-beside') })(body),
  ),
  one('a mount that is not there', (body) => mount({ Source: `${body.HostConfig.Mounts[0]?.Source}-not` })(body)),
  one('a mount behind a link', (body) =>
    mount({ Source: body.HostConfig.Mounts[0]?.Source.replace(/one$/, 'link') })(body),
  ),
  one('a mount below a link', (body) =>
    mount({ Source: body.HostConfig.Mounts[0]?.Source.replace(/one$/, 'link/ssl') })(body),
  ),
  one('a mount of a file', (body) =>
    mount({ Source: body.HostConfig.Mounts[0]?.Source.replace(/one$/, 'file') })(body),
  ),
  one('a relative mount', mount({ Source: 'one' })),
  one('a mount with a NUL', (body) => mount({ Source: `${body.HostConfig.Mounts[0]?.Source}\0` })(body)),
  one('a mount to /etc', mount({ Target: '/etc' })),
  one('a mount to /proc', mount({ Target: '/proc' })),
  one('a mount over the entry program', mount({ Target: '/usr/local/bin/engine' })),
  // The sockets of both proxies are in one directory: no other one leads out.
  one('a mount for a way out of its own', mount({ Target: '/run/egress' })),
  one('the directory of the ways out at a place where it can be written', mount({ Target: '/run/engine/models' })),
  one('a volume', mount({ Type: 'volume' })),
  one(
    'a volume with a driver',
    mount({ VolumeOptions: { DriverConfig: { Options: { device: '/', o: 'bind', type: 'none' } } } }),
  ),
  one('a mount that spreads', mount({ BindOptions: { Propagation: 'rshared' } })),
  one('a source in small letters', mount({ source: '/etc' })),
  one('two mounts at one place', (body) =>
    host({ Mounts: [...body.HostConfig.Mounts, ...body.HostConfig.Mounts] })(body),
  ),
  one('a member twice, privileged first', twice('"Privileged":true,"privileged":true')),
  one('a member in escapes', twice('"\\u0070rivileged":true')),
  one('a prototype', twice('"__proto__":{"Privileged":true}')),
  one('a constructor', twice('"constructor":{"prototype":{"Privileged":true}}')),
  one(
    'a host configuration twice',
    text((good) => good.replace(/\}$/, ',"hostconfig":{"Privileged":true}}')),
  ),
  one(
    'a second body behind the first',
    text((good) => `${good}{"HostConfig":{"Privileged":true}}`),
  ),
  one('a list', (body) => [body]),
  one('nothing', () => ''),
  one('null', () => 'null'),
  one('no JSON', () => '{"Image":'),
]
