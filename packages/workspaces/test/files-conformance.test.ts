import { workspaceFilesConformance } from '@opencode-gateway/executor-testing/workspace-suite'
import { makeFiles } from './files-harness.ts'

workspaceFilesConformance({ name: 'a local directory', make: () => makeFiles() })
workspaceFilesConformance({ name: 'a local directory without /proc', make: () => makeFiles({ handles: false }) })
