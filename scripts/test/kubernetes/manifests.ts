import { readdirSync, readFileSync } from 'node:fs'
import type { Deployment } from 'kubernetes-types/apps/v1.d.ts'
import type { Namespace, PersistentVolumeClaim, Secret, Service, ServiceAccount } from 'kubernetes-types/core/v1.d.ts'
import type { NetworkPolicy } from 'kubernetes-types/networking/v1.d.ts'
import { parse, parseAllDocuments } from 'yaml'

/** What the manifests may be, and where their published types are. */
export const modules = {
  Deployment: 'kubernetes-types/apps/v1.d.ts',
  Namespace: 'kubernetes-types/core/v1.d.ts',
  NetworkPolicy: 'kubernetes-types/networking/v1.d.ts',
  PersistentVolumeClaim: 'kubernetes-types/core/v1.d.ts',
  Secret: 'kubernetes-types/core/v1.d.ts',
  Service: 'kubernetes-types/core/v1.d.ts',
  ServiceAccount: 'kubernetes-types/core/v1.d.ts',
} as const

export interface Kinds {
  Deployment: Deployment
  Namespace: Namespace
  NetworkPolicy: NetworkPolicy
  PersistentVolumeClaim: PersistentVolumeClaim
  Secret: Secret
  Service: Service
  ServiceAccount: ServiceAccount
}

export interface Manifest {
  file: string
  kind: string
  name: string
  content: unknown
}

export interface Kustomization {
  namespace: string
  resources: readonly string[]
  images: readonly { name: string; newTag?: string; digest?: string }[]
}

export const directory = new URL('../../../docker/kubernetes/', import.meta.url)
export const kustomization: Kustomization = parse(readFileSync(new URL('kustomization.yaml', directory), 'utf8'))
export const files: readonly string[] = readdirSync(directory).filter((name) => name !== 'kustomization.yaml')

/** Every document of every file; throws for what is not YAML or has a key twice. */
export const manifests: readonly Manifest[] = files.flatMap((file) =>
  parseAllDocuments(readFileSync(new URL(file, directory), 'utf8')).map((document) => {
    const [problem] = 'errors' in document ? document.errors : []
    if (problem) throw new Error(`${file}: ${problem.message}`)
    const content = document.toJS()
    return { file, kind: content.kind, name: content.metadata.name, content }
  }),
)

export function all<K extends keyof Kinds>(kind: K): readonly Kinds[K][] {
  return manifests.filter((manifest) => manifest.kind === kind).map(({ content }) => content as Kinds[K])
}

export function only<K extends keyof Kinds>(kind: K): Kinds[K] {
  const [found, ...more] = all(kind)
  if (found === undefined || more.length > 0) throw new Error(`not one ${kind} but ${all(kind).length}`)
  return found
}
