export { createDirectories, type Area, type Directories } from './directories.ts'
export { createWorkspaceFiles, type WorkspaceFilesOptions } from './files/files.ts'
export { looksSecret } from './files/protected-names.ts'
