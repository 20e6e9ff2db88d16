import { appendFile, mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'

/**
 * Gives the agent's git what it needs for the files of Git LFS, without git-lfs, a network or a credential: what it adds
 * goes into `.git/lfs/objects`, where git-lfs has it too, and a pointer into the commit. Nothing of ours ever runs it.
 */
export async function addAgentFilter(gitDirectory: string): Promise<void> {
  const place = path.join(gitDirectory, 'lfs')
  await mkdir(path.join(place, 'objects'), { recursive: true })
  await writeFile(path.join(place, 'clean'), CLEAN)
  await writeFile(path.join(place, 'smudge'), SMUDGE)
  await appendFile(path.join(gitDirectory, 'config'), CONFIG)
}

const CONFIG = `[filter "lfs"]
	clean = sh \\"$(git rev-parse --git-common-dir)/lfs/clean\\"
	smudge = sh \\"$(git rev-parse --git-common-dir)/lfs/smudge\\"
	required = true
`

const BEGIN = `set -e
root=$(git rev-parse --git-common-dir)/lfs
mkdir -p "$root/tmp"
draft=$(mktemp "$root/tmp/XXXXXXXX")
trap 'rm -f "$draft"' EXIT
cat >"$draft"
size=$(($(wc -c <"$draft")))
is_pointer() {
  test "$size" -lt 1024 && head -n 1 "$draft" | grep -aqx 'version https://git-lfs.github.com/spec/v1'
}
`

const CLEAN = `# What git adds is kept as an object of Git LFS, and its pointer is what git gets.
${BEGIN}
if test "$size" -eq 0 || is_pointer; then cat "$draft"; exit; fi
oid=$(sha256sum <"$draft" | cut -d ' ' -f 1)
folder=$root/objects/$(printf %s "$oid" | cut -c 1-2)/$(printf %s "$oid" | cut -c 3-4)
mkdir -p "$folder"
chmod 644 "$draft"
mv -f "$draft" "$folder/$oid"
printf 'version https://git-lfs.github.com/spec/v1\\noid sha256:%s\\nsize %s\\n' "$oid" "$size"
`

const SMUDGE = `# A pointer becomes the content that it stands for, where that is here.
${BEGIN}
if is_pointer; then
  oid=$(sed -n 's/^oid sha256:\\([0-9a-f]\\{64\\}\\)$/\\1/p' "$draft")
  object=$root/objects/$(printf %s "$oid" | cut -c 1-2)/$(printf %s "$oid" | cut -c 3-4)/$oid
  if test -n "$oid" && test -f "$object"; then cat "$object"; exit; fi
fi
cat "$draft"
`
