#!/bin/sh
# Boots systemd in namespaces of its own, on a copy-on-write view of the root of this machine, with the units in ROOT/units.
# /etc/countersign and /run are those of ROOT. SIGTERM ends everything.
#
#   ROOT=… PACKAGE=… NODE=… boot-systemd.sh
set -eu

if [ "${1-}" != inside ]; then
  hierarchy=/sys/fs/cgroup/systemd
  [ -d "$hierarchy" ] || hierarchy=/sys/fs/cgroup
  own="$hierarchy/countersign-systemd-$$"
  mkdir "$own"
  (
    sh -c 'echo $PPID' > "$own/cgroup.procs"
    exec unshare --kill-child --fork --pid --mount --uts --ipc --cgroup sh "$0" inside
  ) &
  child=$!
  # What is killed leaves the cgroup a moment later.
  finish() {
    kill -KILL "$child" 2> /dev/null || true
    attempts=0
    while [ -d "$own" ] && [ "$attempts" -lt 100 ]; do
      find "$own" -depth -type d -exec rmdir {} + 2> /dev/null || sleep 0.2
      attempts=$((attempts + 1))
    done
    exit 0
  }
  trap finish TERM INT
  wait "$child" || true
  finish
fi

mount --make-rprivate /
layers=$(mktemp -d)
mount -t tmpfs tmpfs "$layers"
mkdir "$layers/upper" "$layers/work" "$layers/view"
mount -t overlay overlay -o "lowerdir=/,upperdir=$layers/upper,workdir=$layers/work" "$layers/view"
view="$layers/view"

mount -t proc proc "$view/proc"
mount -t sysfs -o ro sysfs "$view/sys"
mount -t tmpfs tmpfs "$view/sys/fs/cgroup"
if [ -d /sys/fs/cgroup/systemd ]; then
  mkdir "$view/sys/fs/cgroup/systemd"
  mount -t cgroup -o none,name=systemd cgroup "$view/sys/fs/cgroup/systemd"
else
  mount -t cgroup2 cgroup2 "$view/sys/fs/cgroup"
fi
mount -t tmpfs -o mode=755 tmpfs "$view/dev"
for device in null zero full random urandom tty; do
  touch "$view/dev/$device"
  mount --bind "/dev/$device" "$view/dev/$device"
done
mkdir "$view/dev/shm" "$view/dev/pts"
mount -t tmpfs tmpfs "$view/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666 devpts "$view/dev/pts"
ln -s pts/ptmx "$view/dev/ptmx"
ln -s /proc/self/fd "$view/dev/fd"

mkdir -p "$view/etc/countersign" "$view/opt/countersign" "$view/usr/local/bin"
mount --bind "$ROOT/run" "$view/run"
mount --bind "$ROOT/etc/countersign" "$view/etc/countersign"
mount --bind "$PACKAGE" "$view/opt/countersign"
touch "$view/usr/local/bin/node"
mount --bind "$NODE" "$view/usr/local/bin/node"
ln -sf /opt/countersign/dist/countersign.js "$view/usr/local/bin/countersign"

# No other service of this machine.
units="$view/etc/systemd/system"
find "$view/lib/systemd/system/" "$units" -name '*.wants' -prune -exec rm -rf {} +
for target in boot sysinit basic network-online; do
  printf '[Unit]\nDefaultDependencies=no\n' > "$units/$target.target"
done
cp "$ROOT"/units/*.service "$units"
for unit in "$units"/countersign*.service; do
  mkdir "$unit.d"
  printf '[Service]\nStandardOutput=append:/run/%%n.log\nStandardError=append:/run/%%n.log\n' > "$unit.d/log.conf"
done
mkdir -p "$view/etc/sysusers.d"
cp "$PACKAGE/deploy/systemd/sysusers.d/countersign.conf" "$view/etc/sysusers.d"
systemd-sysusers --root="$view" countersign.conf

cd "$view"
mkdir before
pivot_root . before
mount --make-rslave /before
umount -l /before
# Credentials are mounted in another namespace, and appear here.
mount --make-rshared /
export container=test
exec /lib/systemd/systemd --unit=boot.target --log-target=null --show-status=false
