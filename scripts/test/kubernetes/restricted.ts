import type { Container, PodSpec, SecurityContext } from 'kubernetes-types/core/v1.d.ts'

const VOLUMES: ReadonlySet<string> = new Set(
  'configMap csi downwardAPI emptyDir ephemeral persistentVolumeClaim projected secret'.split(' '),
)

/** What of a pod the Pod Security Standard "restricted" does not admit, and what we ask for beyond it. */
export function restrictedProblems(pod: PodSpec): readonly string[] {
  const containers = [...(pod.initContainers ?? []), ...pod.containers]
  const inPod = pod.securityContext ?? {}
  return [
    ...[pod.hostNetwork, pod.hostPID, pod.hostIPC].flatMap((host) => (host ? ['shares a namespace of the host'] : [])),
    ...(pod.automountServiceAccountToken === false ? [] : ['has a token of its service account']),
    ...(pod.volumes ?? []).flatMap(({ name, ...source }) =>
      Object.keys(source).every((kind) => VOLUMES.has(kind)) ? [] : [`volume ${name} is no kind that is admitted`],
    ),
    ...containers.flatMap((container) =>
      containerProblems(container, { ...inPod, ...container.securityContext }).map(
        (problem) => `${container.name}: ${problem}`,
      ),
    ),
  ]
}

function containerProblems({ ports, resources }: Container, context: SecurityContext): readonly string[] {
  const { capabilities, seccompProfile } = context
  const right: readonly (readonly [boolean, string])[] = [
    [context.privileged !== true, 'is privileged'],
    [context.allowPrivilegeEscalation === false, 'may gain privileges'],
    [capabilities?.drop?.includes('ALL') === true, 'keeps capabilities'],
    [(capabilities?.add ?? []).every((name) => name === 'NET_BIND_SERVICE'), 'is given capabilities'],
    [context.runAsNonRoot === true && context.runAsUser !== 0, 'may be root'],
    [['RuntimeDefault', 'Localhost'].includes(seccompProfile?.type ?? ''), 'has no seccomp profile'],
    [context.readOnlyRootFilesystem === true, 'has a root that can be written'],
    [(ports ?? []).every(({ hostPort }) => hostPort === undefined), 'takes a port of the host'],
    [resources?.limits?.['memory'] !== undefined, 'has no limit of memory'],
    [resources?.requests?.['cpu'] !== undefined, 'asks for no processor'],
  ]
  return right.flatMap(([met, problem]) => (met ? [] : [problem]))
}
