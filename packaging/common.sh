# What the scripts in this folder share. To be sourced, with bash.
# shellcheck shell=bash

checkout=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
# What somebody asked for by name.
script=packaging/${0##*/}
# `su` leaves these out.
PATH=$PATH:/usr/sbin:/sbin

say() { printf '%s: %s\n' "$script" "$*" >&2; }
fail() { say "$*" && exit 1; }
# Needs a function `usage`.
wrong_usage() { say "$*" && usage && exit 2; }

# $1, a program or a file, which Debian's package $2 has.
need() {
  if [[ -e $1 ]] || command -v "$1" >/dev/null; then
    return
  fi
  if [[ $EUID != 0 ]] || ! command -v apt-get >/dev/null; then
    fail "$1 is missing: install it (on Debian and Ubuntu: apt-get install $2)"
  fi
  say "installing $2"
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "$2"
}

# Makes a tree of Debian's suite $1 in $2, which must not be there; the other arguments are debootstrap's.
make_debian_tree() {
  local suite=$1 tree=$2 mirror
  shift 2
  need debootstrap debootstrap
  need /usr/share/keyrings/debian-archive-keyring.gpg debian-archive-keyring
  # apt tells Debian's own mirror by what it fetched from there, which some containers have removed.
  mapfile -t mirror < <(debian_mirror)
  if ! ((${#mirror[@]})); then
    apt-get update -qq
    mapfile -t mirror < <(debian_mirror)
  fi
  # On Ubuntu there is no mirror here; debootstrap knows one.
  unshare --mount --propagation private \
    debootstrap --variant=minbase "$@" "$suite" "$tree" "${mirror[@]}" >"$tree.log" 2>&1 || { tail -n 20 "$tree.log" && fail "debootstrap failed"; }
  rm -f "$tree.log" "$tree"/var/cache/apt/archives/*.deb
}

# shellcheck disable=SC2016 # $(REPO_URI) is apt's
debian_mirror() { apt-get indextargets --format '$(REPO_URI)' 'Label: Debian' | grep -E '^(https?|file):' | sort -u | sed -n 1p; }

# Where cargo builds, as cargo takes it: from where the caller is.
cargo_target_dir() { realpath -m "${CARGO_TARGET_DIR:-$checkout/target}"; }
