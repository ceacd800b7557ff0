#!/bin/sh
# Puts HAProxy 3 into .cache/haproxy3, and a command .cache/bin/haproxy3 that runs it: the
# HAProxy of Debian 12 cannot dial in. It is taken from Debian's next release, with its own
# libraries and dynamic loader, and nothing of the system is changed or asked for: apt works
# on folders of its own here, and checks signatures as always. Root is not needed.
# What is there already is left alone, so that a second run takes no time.
set -eu

# Debian 13 has 3.0. 3.3 to 3.4-dev9 would close a tunnel after each stream.
RELEASE=trixie

root=$(cd "$(dirname "$0")/.." && pwd)
home=$root/.cache/haproxy3
command=$root/.cache/bin/haproxy3

fail() {
	echo "install-haproxy3: $*" >&2
	exit 1
}

version() { "$command" -v 2>/dev/null | sed -n 's/^HAProxy version \([0-9.]*\).*/\1/p'; }

works() {
	case $(version) in
	3.[012].* | 3.[4-9].* | [4-9].*) return 0 ;;
	*) return 1 ;;
	esac
}

# The mirror that this machine has Debian from.
mirror() {
	codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
	# shellcheck disable=SC2016 # apt fills it in
	apt-get indextargets --no-release-info --format '$(RELEASE) $(COMPONENT) $(REPO_URI)' 'Created-By: Packages' |
		awk -v release="$codename" '$1 == release && $2 == "main" { print $3; exit }'
}

keyring() {
	for file in /usr/share/keyrings/debian-archive-keyring.pgp /usr/share/keyrings/debian-archive-keyring.gpg; do
		[ ! -r "$file" ] || { echo "$file"; return; }
	done
}

# private_apt DIR writes the configuration of an apt that knows one release and no installed
# package, so that it downloads all that HAProxy needs, and runs none of the system's hooks.
private_apt() {
	mkdir -p "$1/lists/partial" "$1/archives/partial"
	: >"$1/status"
	echo "deb [signed-by=$keys] $uri $RELEASE main" >"$1/sources.list"
	cat >"$1/apt.conf" <<-CONF
		Dir::State "$1";
		Dir::State::lists "$1/lists";
		Dir::State::status "$1/status";
		Dir::Cache "$1";
		Dir::Cache::archives "$1/archives";
		Dir::Etc::sourcelist "$1/sources.list";
		Dir::Etc::sourceparts "/dev/null";
		Dir::Etc::preferences "/dev/null";
		Dir::Etc::preferencesparts "/dev/null";
		Acquire::Languages "none";
		Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "false";
		Acquire::Retries "3";
		APT::Install-Recommends "false";
		APT::Sandbox::User "$(id -un)";
		#clear APT::Update::Pre-Invoke;
		#clear APT::Update::Post-Invoke;
		#clear APT::Update::Post-Invoke-Success;
		#clear DPkg::Pre-Install-Pkgs;
		#clear DPkg::Post-Invoke;
	CONF
}

download() {
	apt-get -q -c "$1/apt.conf" update ||
		fail "the index of $RELEASE could not be had from $uri, or its signature is not good: is debian-archive-keyring up to date?"
	apt-get -q -y -c "$1/apt.conf" --download-only install haproxy ||
		fail "HAProxy's packages could not be downloaded from $uri"
}

unpack() {
	for package in "$1"/archives/*.deb; do
		dpkg -x "$package" "$2" || fail "$package could not be unpacked"
	done
	[ -x "$2/usr/sbin/haproxy" ] || fail "Debian's package has no usr/sbin/haproxy"
	[ -n "$(cd "$2" && loader)" ] || fail "there is no dynamic loader for this machine in Debian's packages"
}

loader() { find usr/lib* lib* -name 'ld-linux*.so.*' 2>/dev/null | head -n 1; }

# The command finds its folder by itself, so that the repository can be moved.
write_command() {
	cd "$home"
	ld=$(loader)
	libraries=$(find usr/lib lib -name '*.so*' 2>/dev/null | sed 's|/[^/]*$||' | sort -u | sed 's|^|$home/|' | paste -sd:)
	mkdir -p "${command%/*}"
	cat >"$command.new" <<-COMMAND
		#!/bin/sh
		home=\$(cd "\$(dirname "\$(readlink -f "\$0")")/../haproxy3" && pwd) || exit 1
		exec "\$home/$ld" --library-path "$libraries" "\$home/usr/sbin/haproxy" "\$@"
	COMMAND
	chmod 755 "$command.new"
	mv "$command.new" "$command"
}

works && exit 0
command -v apt-get >/dev/null && command -v dpkg >/dev/null ||
	fail "no apt-get and dpkg here; please make $command a HAProxy of 3.0 to 3.2, or 3.4 and later"
uri=$(mirror)
[ -n "$uri" ] || fail "apt's configuration names no mirror with the component main of this machine's release"
keys=$(keyring)
[ -n "$keys" ] || fail "Debian's keys are missing: please install debian-archive-keyring"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
private_apt "$work"
download "$work"
mkdir -p "$root/.cache"
rm -rf "$home.new"
unpack "$work" "$home.new"
rm -rf "$home"
mv "$home.new" "$home"
write_command
works || fail "$command does not work: $("$command" -v 2>&1 | head -n 3)"
echo "HAProxy $(version) is in $home"
