export { createDirectories, type Area, type Directories } from './directories.ts'
