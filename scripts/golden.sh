#!/usr/bin/env bash
# Writes golden files and generated documentation anew.
set -euo pipefail
cd "$(dirname "$0")/.."
go generate ./...
for package in $(git grep -lE 'flag\.Bool\("update"' -- '*_test.go' | xargs -n1 dirname | sort -u); do
	go test "./$package" -update
done
git --no-pager diff --stat
