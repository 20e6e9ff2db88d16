import { docker, image, limits } from './daemon.mjs'
import { deployed } from './deployed.mjs'
import { compose, deployment } from './deployment.mjs'
import { files, git, key, memory, model, node, npm, port, ripgrep, ssh, system } from './host.mjs'
import { data, disk, workspaces } from './places.mjs'
import { settings } from './settings.mjs'

/**
 * In the order they are shown.
 *
 * @type {Readonly<Record<string, import('./finding.mjs').Check>>}
 */
export const checks = {
  system,
  node,
  npm,
  git,
  ripgrep,
  ssh,
  memory,
  files,
  data,
  workspaces,
  disk,
  port,
  key,
  model,
  docker,
  limits,
  image,
  compose,
  deployment,
  deployed,
  settings,
}
