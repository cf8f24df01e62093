#!/usr/bin/env bash
# Builds the programs of Kubernetes from the Go module proxy: no package carries them. About 30 minutes of CPU time with an
# empty cache of Go, a few seconds afterwards. The programs are kept in FOLDER, where the next run finds them.
#
#   test/kubernetes/build-binaries.sh VERSION FOLDER PROGRAM…
set -euo pipefail
version=$1 folder=$2
shift 2
cd "$(dirname "$0")"
here=$PWD
# Two runs on one machine must not compile at the same time.
mkdir -p "$folder"
exec 9> "$folder/lock"
flock 9

missing=()
for program; do
  [ -x "$folder/bin/$program" ] || missing+=("k8s.io/kubernetes/cmd/$program")
done

export CGO_ENABLED=0 GOFLAGS=-mod=mod
staging=$(mktemp -d "$folder/partial-XXXXXX")
trap 'rm -rf "$staging"' EXIT
mkdir -p "$folder/bin" "$staging/bin"

if [ ${#missing[@]} -gt 0 ]; then
  command -v go > /dev/null || { echo 'go is missing: Kubernetes is compiled with Go 1.26 or later' >&2; exit 1; }
  echo "compiling ${missing[*]} $version"
  cd "$staging"
  # The go.mod of Kubernetes with all its versions. It takes its own libraries from folders; they are published as v0.x.
  (mkdir module && cd module && go mod init download 2> /dev/null && go mod download "k8s.io/kubernetes@v$version")
  sed -e 's|^module .*|module kubernetes-programs|' -e "s|=> ./staging/src/k8s.io/\(.*\)$|=> k8s.io/\1 v0.${version#1.}|" \
    "$(go env GOMODCACHE)/cache/download/k8s.io/kubernetes/@v/v$version.mod" > go.mod
  go mod edit -require "k8s.io/kubernetes@v$version"
  # What the programs report as their version; the nodes must not be newer than the API server.
  package=k8s.io/component-base/version minor=${version#1.}
  flags="-s -w -X $package.gitVersion=v$version -X $package.gitMajor=1 -X $package.gitMinor=${minor%%.*}"
  flags+=" -X $package.gitTreeState=clean -X $package.gitCommit=none -X $package.buildDate=2026-01-01T00:00:00Z"
  TIMEFORMAT='compiled: %U s user, %S s system, %R s elapsed'
  time nice -n 19 go build -trimpath -ldflags "$flags" -o bin/ "${missing[@]}"
  mv bin/* "$folder/bin/"
fi

# The first process of every Pod, which holds its namespaces. Its official image is not in a package either.
if [ ! -x "$folder/bin/pause" ]; then
  cd "$here"
  go build -trimpath -ldflags '-s -w' -o "$staging/pause" cluster/pause.go
  mv "$staging/pause" "$folder/bin/pause"
fi
