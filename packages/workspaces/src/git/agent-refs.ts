import { ExecutorError } from '@opencode-gateway/contracts'
import { holdDirectory, type HeldDirectory } from './held-directory.ts'

/** Where the agent's repository stands. Its files are read as text; git never runs with its configuration. */
export interface AgentRefs {
  /** The commit that is checked out; `branch` unless HEAD is detached. */
  head: { commit: string | undefined; branch: string | undefined }
  /** The head of the work branch. */
  work: string | undefined
}

const COMMIT = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/
const MAX_REF_BYTES = 4096
const MAX_PACKED_BYTES = 32 * 1024 * 1024

/** Holds the `.git` of a workspace; WORKSPACE_ERROR when it is not a directory any more. */
export async function holdGitDirectory(directory: string): Promise<HeldDirectory> {
  await using root = await holdDirectory(directory)
  const git = await root.enter('.git')
  if (git !== undefined) return git
  const text = `the agent removed "${directory}/.git": its files are kept, but there is no branch to put them on`
  throw new ExecutorError('WORKSPACE_ERROR', text, { retryable: false })
}

export async function readAgentRefs(git: HeldDirectory, workBranch: string): Promise<AgentRefs> {
  const packed = parsePackedRefs((await git.read('packed-refs', MAX_PACKED_BYTES)) ?? '')
  const commitOf = async (ref: string): Promise<string | undefined> => {
    const names = ref.split('/')
    const last = names.pop() ?? ''
    await using folder = await git.enter(...names)
    const text = (await folder?.read(last, MAX_REF_BYTES))?.trim()
    if (text === undefined) return packed.get(ref)
    if (COMMIT.test(text)) return text
    throw new ExecutorError('WORKSPACE_ERROR', `"${ref}" in the workspace does not name a commit`, { retryable: false })
  }
  const work = await commitOf(`refs/heads/${workBranch}`)
  const head = ((await git.read('HEAD', MAX_REF_BYTES)) ?? '').trim()
  if (COMMIT.test(head)) return { head: { commit: head, branch: undefined }, work }
  const ref = /^ref: *(?<ref>refs\/heads\/[^\s]+)$/.exec(head)?.groups?.['ref']
  if (ref === undefined || ref.split('/').some((name) => name === '' || name === '.' || name === '..')) {
    throw new ExecutorError('WORKSPACE_ERROR', 'HEAD in the workspace names neither a branch nor a commit', {
      retryable: false,
    })
  }
  return { head: { commit: await commitOf(ref), branch: ref.slice('refs/heads/'.length) }, work }
}

function parsePackedRefs(text: string): ReadonlyMap<string, string> {
  const refs = new Map<string, string>()
  for (const line of text.split('\n')) {
    const [commit = '', ref] = line.split(' ')
    if (ref !== undefined && COMMIT.test(commit)) refs.set(ref, commit)
  }
  return refs
}
