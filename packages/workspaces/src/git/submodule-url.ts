import { refused } from './refused.ts'

/**
 * The address of a submodule as its repository sees it: `./` and `../` lead on from the repository's own address, and
 * never above the root of its host. What else may be in it is checked as that of every repository.
 */
export function submoduleUrl(parent: string, url: string): string {
  if (!/^\.{1,2}\//.test(url)) {
    // What a repository of another host may not name is a directory of this machine.
    const isLocal = url.startsWith('/') || /^file:/i.test(url)
    if (isLocal && !parent.startsWith('file://')) throw refused('submodules', 'names a local path')
    return url
  }
  const [, host = '', path = ''] = /^([a-z]+:\/\/[^/]*\/|[^/:]+:)(.*)$/s.exec(parent) ?? []
  const names = path.split('/').filter((name) => name !== '')
  let rest = url
  for (let step = /^(\.{1,2})\/+/.exec(rest); step; step = /^(\.{1,2})\/+/.exec(rest)) {
    if (step[1] === '..' && names.pop() === undefined) throw refused('submodules', 'leads out of its host')
    rest = rest.slice(step[0].length)
  }
  return `${host}${[...names, rest].join('/')}`
}
