import { hang, relativePath, type Stage } from './stage.ts'

export interface BuiltinCall {
  readonly args: readonly string[]
  readonly stage: Stage
  readonly lastCode: number
  out(text: string): void
  complain(text: string): void
  /** What is started from now on does not end when it is asked to. */
  ignoreTerm(): void
}

/** Returns its exit code, or how it ended the shell. */
export type Builtin = (call: BuiltinCall) => number | 'killed' | { exit: number } | Promise<number>

/** The commands of the fake shell. `sleep N` waits at the gate "sleep N", for real time there is none. */
export const builtins: ReadonlyMap<string, Builtin> = new Map<string, Builtin>([
  ['true', () => 0],
  [':', () => 0],
  ['false', () => 1],
  ['exit', ({ args, lastCode }) => ({ exit: args[0] === undefined ? lastCode : Number(args[0]) & 255 })],
  ['echo', echo],
  ['printf', printf],
  ['cat', cat],
  ['kill', kill],
  ['trap', trap],
  ['pwd', ({ stage, out }) => print(out, `${stage.workspacePath}\n`)],
  [
    'ls',
    ({ stage, out }) =>
      print(
        out,
        [...stage.files.keys()]
          .sort()
          .map((name) => `${name}\n`)
          .join(''),
      ),
  ],
  ['sleep', ({ args, stage }) => pass(stage, `sleep ${args.join(' ')}`)],
  ['wait', ({ stage }) => (stage.processes.count === 0 ? 0 : hang(stage.signal))],
])

function print(out: (text: string) => void, text: string): number {
  out(text)
  return 0
}

async function pass(stage: Stage, gate: string): Promise<number> {
  await stage.gates.pass(gate, stage.signal)
  return 0
}

function echo({ args, out }: BuiltinCall): number {
  return print(out, args[0] === '-n' ? args.slice(1).join(' ') : `${args.join(' ')}\n`)
}

/** `%s`, `%d`, `%0Nd`, `%%`, `\n` and `\t`; the format is used again while arguments are left. */
function printf({ args: [format = '', ...args], out }: BuiltinCall): number {
  const left = [...args]
  do {
    const before = left.length
    out(
      format.replace(
        /%(0?)(\d*)([sd%])|\\([nt\\])/g,
        (_, zero: string, width: string, verb: string, escape: string) => {
          if (escape !== undefined) return escape === 'n' ? '\n' : escape === 't' ? '\t' : '\\'
          if (verb === '%') return '%'
          const value = left.shift() ?? (verb === 'd' ? '0' : '')
          return value.padStart(Number(width), zero === '0' ? '0' : ' ')
        },
      ),
    )
    if (left.length === before) break
  } while (left.length > 0)
  return 0
}

function cat({ args, stage, out, complain }: BuiltinCall): number {
  let code = 0
  for (const path of args) {
    const text = stage.files.get(relativePath(path, stage.workspacePath))
    if (text !== undefined) out(text)
    else {
      complain(`cat: ${path}: No such file or directory`)
      code = 1
    }
  }
  return code
}

function trap({ args: [action, signal], ignoreTerm, complain }: BuiltinCall): number {
  if (action === '' && signal === 'TERM') {
    ignoreTerm()
    return 0
  }
  complain('fake shell: it knows no trap but an empty one for TERM')
  return 2
}

function kill({ args, stage, complain }: BuiltinCall): number | 'killed' {
  const [signal, pid] = args
  if (pid === '$$') return signal === '-0' ? 0 : 'killed'
  if (signal === '-0' && stage.processes.isAlive(Number(pid))) return 0
  complain(`kill: (${pid ?? ''}) - No such process`)
  return 1
}
