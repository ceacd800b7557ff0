#!/bin/sh
# Installs go-httpbin with the Go toolchain into .cache/bin: the servers behind the
# examples, which answer with what they were asked. What is there already is left alone.
set -eu

HTTPBIN=v2.26.0

root=$(cd "$(dirname "$0")/.." && pwd)
bin=$root/.cache/bin

go version -m "$bin/go-httpbin" 2>/dev/null | grep -q "mccutchen/go-httpbin/v2[[:space:]]$HTTPBIN" && exit 0
mkdir -p "$bin"
# Outside the module, so that neither its go.mod nor a vendor folder has a say.
(cd / && GOBIN="$bin" GOFLAGS= GOWORK=off CGO_ENABLED=0 \
	go install "github.com/mccutchen/go-httpbin/v2/cmd/go-httpbin@$HTTPBIN")
