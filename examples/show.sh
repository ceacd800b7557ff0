# What the show.sh of all examples have in common: show TEXT COMMAND... says what is
# shown, and the command as it can be typed, and runs it.
# shellcheck shell=sh

show() {
	printf '# %s\n$' "$1"
	shift
	for word in "$@"; do
		case $word in
		*[!A-Za-z0-9_./:=@-]*) printf " '%s'" "$word" ;;
		*) printf ' %s' "$word" ;;
		esac
	done
	printf '\n'
	"$@"
	printf '\n\n'
}
