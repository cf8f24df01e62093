#!/usr/bin/env bash
# Runs cluster.sh in namespaces of its own, and afterwards removes what does not end with the namespaces: the cgroups; and the files,
# unless the cluster ended by itself, since its logs say why. SIGTERM ends the cluster. cluster.ts has it sent also when its process
# dies, however that happens.
#
# Environment: as for cluster.sh
set -uo pipefail

# Only a supervisor that was killed itself leaves cgroups behind. Those that are in use cannot be removed.
for folder in /sys/fs/cgroup/*/countersign-*; do
  [ ! -d "$folder" ] || [ -e "/proc/${folder##*-}" ] || find "$folder" -depth -type d -exec rmdir {} + 2> /dev/null
done

# `unshare` ends with this, and everything in the namespaces with `unshare`.
setpriv --pdeathsig KILL unshare --mount --net --pid --fork --kill-child --mount-proc bash "$(dirname "$0")/cluster.sh" &
cluster=$!
stopped=''
trap 'stopped=yes; kill -KILL "$cluster" 2> /dev/null' TERM INT HUP
echo "$cluster" > "$WORK/cluster.pid"
# Also after a signal, which interrupts the first one.
wait "$cluster"
wait "$cluster" 2> /dev/null

trap '' TERM INT HUP
# The last processes may still be ending; another hierarchy may be another name of one that is already empty.
remaining() { find /sys/fs/cgroup/*/"$CGROUP" -depth -type d 2> /dev/null; }
for ((attempt = 0; attempt < 600; attempt++)); do
  remaining | while read -r folder; do rmdir "$folder" 2> /dev/null; done
  [ -n "$(remaining)" ] || break
  sleep 0.2
done
[ -z "$stopped" ] || rm -rf --one-file-system "$WORK"
[ -z "$(remaining)" ] || { echo "in use: $(remaining | head -n 1)" >&2; exit 1; }
