#!/usr/bin/env bash
# A Kubernetes cluster with real nodes: API server, controllers and scheduler, and for each node containerd, kubelet and
# kube-proxy. supervise.sh runs this as the first process of its own PID, mount and network namespaces, so every process, mount
# and network device ends with it. It ends with the first of its programs that ends.
#
# Environment: PATH (has all programs), WORK (folder for everything), NODES (names), CGROUP (name of the parent cgroup).
set -euo pipefail
here=$(dirname "$0")
logs=$WORK/logs pki=$WORK/pki
export KUBECONFIG=$pki/admin.kubeconfig
# The first node is the network namespace of the cluster; the others are connected to the bridge, like the clients outside.
first=10.250.0.1 outside=10.250.0.100 pods=10.244.0.0/16 services=10.96.0.0/16
# So that the API server accepts Services with IPv6. The Pods have IPv4 only.
services6=fd00:10:96::/112

step() { echo "$(date +%T) $*"; }
fail() { step "$*" >&2; exit 1; }
# start NAME COMMAND…
start() { local name=$1; shift; "$@" > "$logs/$name.log" 2>&1 & names[$!]=$name; }
declare -A names
# until_true SECONDS WHAT COMMAND…
until_true() {
  local end=$((SECONDS + $1)) what=$2 process; shift 2
  until "$@" > /dev/null 2>&1; do
    for process in "${!names[@]}"; do [ -e "/proc/$process" ] || fail "no $what: ${names[$process]} ended"; done
    [ $SECONDS -lt $end ] || fail "no $what"
    sleep 0.2
  done
}

mkdir -p "$logs" "$WORK/hosts" "$WORK/volumes"
# What nodes write outside their own folders is gone with the mount namespace.
mount --make-rshared /
mkdir "$WORK/var-lib" "$WORK/var-lib-work"
mount -t overlay -o "lowerdir=/var/lib,upperdir=$WORK/var-lib,workdir=$WORK/var-lib-work" overlay /var/lib
mkdir -p /var/lib/kubelet /var/lib/cni
for folder in /run /var/log /var/lib/kubelet /var/lib/cni; do mount -t tmpfs -o mode=755 tmpfs "$folder"; done

# Kubelet changes these for the whole machine, unless it finds what it would set.
mkdir -p "$WORK/sysctl"
while read -r setting value; do
  echo "$value" > "$WORK/sysctl/${setting//\//.}"
  mount --bind "$WORK/sysctl/${setting//\//.}" "/proc/sys/$setting"
done <<'SETTINGS'
vm/overcommit_memory 1
vm/panic_on_oom 0
kernel/panic 10
kernel/panic_on_oops 1
kernel/keys/root_maxkeys 1000000
kernel/keys/root_maxbytes 25000000
SETTINGS

step network
ip link set lo up
ip link add node0 type bridge
ip addr add $first/24 dev node0
ip link set node0 up
ip route add $services dev node0
sysctl -qw net.ipv4.ip_forward=1 net.bridge.bridge-nf-call-iptables=1
# connect NAMESPACE ADDRESS
connect() {
  ip netns add "$1"
  ip link add "to-$1" type veth peer name eth0 netns "$1"
  ip link set "to-$1" master node0 up
  ip -n "$1" link set lo up
  ip -n "$1" addr add "$2/24" dev eth0
  ip -n "$1" link set eth0 up
  ip -n "$1" route add default via $first
}
connect outside $outside

step etcd
start etcd etcd --name etcd --data-dir "$WORK/etcd" \
  --listen-client-urls http://127.0.0.1:2379 --advertise-client-urls http://127.0.0.1:2379 \
  --listen-peer-urls http://127.0.0.1:2380 --initial-advertise-peer-urls http://127.0.0.1:2380 \
  --initial-cluster etcd=http://127.0.0.1:2380
until_true 300 'etcd on 127.0.0.1:2379' bash -c 'exec 3<>/dev/tcp/127.0.0.1/2379'

step 'API server'
start apiserver kube-apiserver --etcd-servers=http://127.0.0.1:2379 --bind-address=0.0.0.0 --advertise-address=$first \
  --secure-port=6443 --tls-cert-file="$pki/apiserver.pem" --tls-private-key-file="$pki/apiserver-key.pem" \
  --client-ca-file="$pki/ca.pem" --service-account-issuer=https://kubernetes.default.svc.cluster.local \
  --service-account-key-file="$pki/service-accounts-public.pem" \
  --service-account-signing-key-file="$pki/service-accounts-key.pem" \
  --service-cluster-ip-range=$services,$services6 --authorization-mode=Node,RBAC --enable-admission-plugins=NodeRestriction \
  --kubelet-certificate-authority="$pki/ca.pem" --kubelet-client-certificate="$pki/apiserver-kubelet.pem" \
  --kubelet-client-key="$pki/apiserver-kubelet-key.pem" --kubelet-preferred-address-types=InternalIP \
  --requestheader-client-ca-file="$pki/front-proxy-ca.pem" --requestheader-allowed-names=front-proxy-client \
  --requestheader-username-headers=X-Remote-User --requestheader-group-headers=X-Remote-Group \
  --requestheader-extra-headers-prefix=X-Remote-Extra- --profiling=false
until_true 300 'API server on port 6443' kubectl get --raw /readyz

step 'controllers and scheduler'
start controllers kube-controller-manager --kubeconfig="$pki/controllers.kubeconfig" --leader-elect=false \
  --authentication-kubeconfig="$pki/controllers.kubeconfig" --authorization-kubeconfig="$pki/controllers.kubeconfig" \
  --use-service-account-credentials=true --service-account-private-key-file="$pki/service-accounts-key.pem" \
  --root-ca-file="$pki/ca.pem" --service-cluster-ip-range=$services,$services6 \
  --horizontal-pod-autoscaler-sync-period=2s --bind-address=127.0.0.1
start scheduler kube-scheduler --kubeconfig="$pki/scheduler.kubeconfig" --leader-elect=false --bind-address=127.0.0.1 \
  --authentication-kubeconfig="$pki/scheduler.kubeconfig" --authorization-kubeconfig="$pki/scheduler.kubeconfig"

# The names of Services. There is no package of CoreDNS.
start dns dnsmasq --keep-in-foreground --user=root --pid-file= --log-facility=- --no-resolv --no-hosts --bind-interfaces \
  --listen-address=$first --hostsdir="$WORK/hosts" --local=/cluster.local/ --local=/in-addr.arpa/
write_names() {
  while true; do
    kubectl get services --all-namespaces --watch \
      --output 'jsonpath={.spec.clusterIP} {.metadata.name}.{.metadata.namespace}.svc.cluster.local{"\n"}' |
      while read -r address name; do [ "$address" = None ] || echo "$address $name" > "$WORK/hosts/$name"; done
  done
}
start names write_names

. "$here/node.sh"
# number_of NAME: 1 for the first node
number_of() { echo "$NODES" | tr ' ' '\n' | grep --line-number --line-regexp "$1" | cut -d : -f 1; }
for node in $NODES; do
  prepare_node "$node" "$(number_of "$node")" &
  names[$!]="preparation of $node"
  preparing="${preparing:-} $!"
done
for process in $preparing; do
  wait "$process" || fail "the ${names[$process]} failed"
  unset "names[$process]"
done
for node in $NODES; do start_node "$node" "$(number_of "$node")"; done
for node in $NODES; do until_true 300 "Ready node $node" node_is_ready "$node"; done
step ready
touch "$WORK/ready"

ended=0
wait -n -p ended || true
fail "${names[$ended]:-a program} ended"
