# The nodes; part of cluster.sh.
#
# The cgroups of this kind of machine are version 1 with a part of version 2, which runc supports and crun does not. Nothing
# here needs a capability that lowers oom_score_adj or raises a hard limit.

# on NAME COMMAND…: in the network namespace of the node. (`ip netns exec` would hide the cgroups as well.)
on() { local node=$1; shift; if [ "$node" = "${NODES%% *}" ]; then "$@"; else nsenter --net="/run/netns/$node" "$@"; fi; }

# prepare_node NAME NUMBER: network, cgroups, and containerd with the images
prepare_node() {
  local node=$1 number=$2 home=$WORK/$1 hierarchy parent
  mkdir -p "$home/cni" "$home/kubelet" "$home/pod-logs"
  for hierarchy in /sys/fs/cgroup/*/; do
    for parent in "$CGROUP" "$CGROUP/$node"; do
      mkdir -p "$hierarchy$parent"
      # A new cgroup of this kind has no processors and no memory to run on.
      for limit in cpus mems; do
        [ ! -e "$hierarchy$parent/cpuset.$limit" ] || cat "${hierarchy}cpuset.$limit" > "$hierarchy$parent/cpuset.$limit"
      done
    done
  done
  sed "s|HOME|$home|g" "$here/containerd.toml" > "$home/containerd.toml"
  cat > "$home/cni/10-pods.conflist" <<CNI
{"cniVersion": "0.4.0", "name": "pods", "plugins": [
  {"type": "bridge", "bridge": "pods0", "isGateway": true, "hairpinMode": true, "ipam": {"type": "host-local",
   "dataDir": "$home/addresses", "ranges": [[{"subnet": "10.244.$number.0/24"}]], "routes": [{"dst": "0.0.0.0/0"}]}},
  {"type": "portmap", "capabilities": {"portMappings": true}}]}
CNI
  if [ "$node" != "${NODES%% *}" ]; then
    connect "$node" 10.250.0.$number
    on "$node" sysctl -qw net.ipv4.ip_forward=1 net.bridge.bridge-nf-call-iptables=1
    ip -n "$node" route add 10.244.1.0/24 via $first
    ip route add 10.244.$number.0/24 via 10.250.0.$number
  fi
  on "$node" containerd --config "$home/containerd.toml" > "$logs/containerd-$node.log" 2>&1 &
  until_true 300 "containerd of $node" ctr --address "$home/containerd.sock" version
  until_true 3600 images test -e "$WORK/images.complete"
  local image
  for image in "$WORK"/images/*.tar; do
    ctr --address "$home/containerd.sock" --namespace k8s.io images import "$image" > /dev/null
  done
  step "images imported on $node"
}

# start_node NAME NUMBER: kubelet and kube-proxy
start_node() {
  local node=$1 number=$2 home=$WORK/$1
  cat > "$home/kubelet.yaml" <<KUBELET
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
authentication: {anonymous: {enabled: false}, webhook: {enabled: true}, x509: {clientCAFile: $pki/ca.pem}}
authorization: {mode: Webhook}
tlsCertFile: $pki/kubelet-$node.pem
tlsPrivateKeyFile: $pki/kubelet-$node-key.pem
containerRuntimeEndpoint: unix://$home/containerd.sock
cgroupDriver: cgroupfs
cgroupRoot: /$CGROUP/$node
failCgroupV1: false
failSwapOn: false
oomScoreAdj: 0
clusterDomain: cluster.local
clusterDNS: [$first]
podLogsDir: $home/pod-logs
volumePluginDir: $home/volume-plugins
seccompDefault: true
imageGCHighThresholdPercent: 100
evictionHard: {memory.available: 100Mi, nodefs.available: 1%, imagefs.available: 1%}
# Changed Secrets and ConfigMaps reach their Pods within seconds instead of a minute.
syncFrequency: 3s
KUBELET
  start "kubelet-$node" on "$node" kubelet --config="$home/kubelet.yaml" --kubeconfig="$pki/kubelet-$node.kubeconfig" \
    --hostname-override="$node" --node-ip=10.250.0.$number --root-dir="$home/kubelet" --cert-dir="$home/kubelet-pki" \
    --node-labels="topology.kubernetes.io/zone=zone-$number"
  cat > "$home/kube-proxy.yaml" <<PROXY
apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
clientConnection: {kubeconfig: $pki/kube-proxy.kubeconfig}
mode: nftables
clusterCIDR: $pods
hostnameOverride: $node
oomScoreAdj: 0
conntrack: {maxPerCore: 0, min: 0, tcpCloseWaitTimeout: 0s, tcpEstablishedTimeout: 0s}
PROXY
  start "kube-proxy-$node" on "$node" kube-proxy --config="$home/kube-proxy.yaml"
}

node_is_ready() {
  [ "$(kubectl get node "$1" --output 'jsonpath={.status.conditions[?(@.type=="Ready")].status}')" = True ]
}
