# Tools from PyPI, for infra/check, infra/emulator and others: sourced from the repository's root. They come once, into target/check. Exit
# code 75 says that something could not be had, and that nothing was done.

# Puts a tool of one version into a place of its own, for their needs exclude each other. From $3 on: what goes with it.
tool() {
    place=target/check/$1-$2
    name=$1
    [ -e "$place/complete" ] && return
    what=$1==$2
    shift 2
    echo "Installing $what"
    rm -rf "$place"
    python3 -m venv "$place" &&
        "$place/bin/pip" install --quiet --disable-pip-version-check "$what" "$@" &&
        touch "$place/complete" && return
    echo "$name could not be installed, so that infra/${0##*/} did nothing." >&2
    exit 75
}

# What must be on this machine already.
need() {
    for command in "$@"; do
        command -v "$command" >/dev/null && continue
        echo "There is no $command, so that infra/${0##*/} did nothing." >&2
        exit 75
    done
}
