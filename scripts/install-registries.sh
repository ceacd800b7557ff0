#!/bin/sh
# Installs the registries that Weir is tested against: etcd, ZooKeeper, and Knot and Unbound
# for DNS, from Debian's packages, without starting them as services. What is there already
# is left alone, so that a second run takes no time.
set -eu

PATH=$PATH:/usr/sbin:/sbin

has() { command -v "$1" >/dev/null 2>&1; }

as_root() {
	if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

missing_packages() {
	has etcd || echo etcd-server
	has etcdctl || echo etcd-client
	[ -e /usr/share/java/zookeeper.jar ] || echo zookeeper
	has java || echo default-jre-headless
	has knotd || echo knot
	has unbound || echo unbound
}

# Debian starts servers when it installs them. A policy that answers 101 ("forbidden") for
# every action prevents it; one that the administrator wrote stays.
policy=/usr/sbin/policy-rc.d
forbid_services() {
	[ -e "$policy" ] && return 0
	printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
	as_root chmod 755 "$policy"
	trap 'as_root rm -f "$policy"' EXIT
}

install_packages() {
	if ! has apt-get; then
		echo "install-registries: no apt-get here; please install:" "$@" >&2
		exit 1
	fi
	forbid_services
	as_root apt-get update -q
	as_root env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=120 install -y -q --no-install-recommends "$@"
}

packages=$(missing_packages)
# shellcheck disable=SC2086 # a list of names, on purpose
[ -z "$packages" ] || install_packages $packages
