/**
 * Has git take the files of Git LFS for what the index has, whatever is in them, so that it does not read them: whether
 * they differ is looked at by us. A filter of ours, which gives what is in the index.
 */
export const asIndexed: readonly string[] = [
  '-c',
  'filter.lfs.clean=git cat-file blob :0:%f',
  '-c',
  'filter.lfs.process=',
  // Without it git reads a file whole before it asks the filter.
  '-c',
  'filter.lfs.required=true',
]
