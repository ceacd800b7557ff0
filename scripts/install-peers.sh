#!/bin/sh
# Installs the programs that Weir is tested and measured beside: nginx, HAProxy, wrk,
# strace, h2load, curl and ip from Debian's packages, Caddy with the Go toolchain into .cache/bin.
# What is there already is left alone, so that a second run takes no time.
set -eu

CADDY=v2.11.9

root=$(cd "$(dirname "$0")/.." && pwd)
bin=$root/.cache/bin
PATH=$bin:$PATH:/usr/sbin:/sbin

has() { command -v "$1" >/dev/null 2>&1; }

as_root() {
	if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

missing_packages() {
	has nginx || echo nginx-light
	has haproxy || echo haproxy
	has wrk || echo wrk
	has strace || echo strace
	has h2load || echo nghttp2-client
	has curl || echo curl
	has ip || echo iproute2
}

# Debian starts nginx and haproxy as services when it installs them. A policy that answers
# 101 ("forbidden") for every action prevents it; one that the administrator wrote stays.
policy=/usr/sbin/policy-rc.d
forbid_services() {
	[ -e "$policy" ] && return 0
	printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
	as_root chmod 755 "$policy"
	trap 'as_root rm -f "$policy"' EXIT
}

install_packages() {
	if ! has apt-get; then
		echo "install-peers: no apt-get here; please install:" "$@" >&2
		exit 1
	fi
	forbid_services
	as_root apt-get update -q
	as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$@"
}

# Outside the module, so that neither its go.mod nor a vendor folder has a say.
install_caddy() {
	# Caddy built this way does not know its own version; the Go toolchain reads it.
	go version -m "$bin/caddy" 2>/dev/null | grep -q "caddyserver/caddy/v2[[:space:]]$CADDY" && return 0
	mkdir -p "$bin"
	(cd / && GOBIN="$bin" GOFLAGS= GOWORK=off CGO_ENABLED=0 \
		go install "github.com/caddyserver/caddy/v2/cmd/caddy@$CADDY")
}

packages=$(missing_packages)
# shellcheck disable=SC2086 # a list of names, on purpose
[ -z "$packages" ] || install_packages $packages
install_caddy
