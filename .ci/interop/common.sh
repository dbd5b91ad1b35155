# Shared by the scripts in this folder, which source it: the peers' virtual environment, our binaries, services that stop with
# the script, and counted checks.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
target=$(realpath -m "${CARGO_TARGET_DIR:-$root/target}")
export CARGO_TARGET_DIR=$target
work=$(mktemp -d)
venv=$target/interop-venv
python=$venv/bin/python
redfish=$target/debug/redfish
passed=0 failed=0
started=()

# Python's requests uses the first two even with verify=False, a proxy would leave loopback, and our command must not use the
# services, users and sessions of the environment.
unset REQUESTS_CA_BUNDLE CURL_CA_BUNDLE
unset http_proxy https_proxy all_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY
unset "${!REDFISH_@}"
export REDFISH_STATE_DIR=$work/state PYTHONUNBUFFERED=1

finish() {
  local pid
  for pid in "${started[@]}"; do kill "$pid" 2>/dev/null || true; done
  rm -rf "$work"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# Creates the virtual environment, and recreates it if the requirements change.
install_peers() {
  cmp -s "$here/requirements.txt" "$venv/requirements.txt" && return
  rm -rf "$venv"
  python3 -m venv "$venv"
  "$python" -m pip install --quiet --disable-pip-version-check -r "$here/requirements.txt"
  cp "$here/requirements.txt" "$venv/requirements.txt"
}

build() {
  cd "$root"
  cargo build --quiet --locked "$@"
}

# start COMMAND...: starts a process that stops with this script, and sets `url` to the first URL that it prints. Without one,
# the checks that need it fail.
start() {
  local line output printed=''
  url=https://127.0.0.1:1
  exec {output}< <(exec "$@" 2>&1)
  started+=($!)
  while IFS= read -r -t 30 line <&"$output"; do
    printed+="$line"$'\n'
    if [[ $line =~ https?://[^[:space:]]+ ]]; then
      url=${BASH_REMATCH[0]%/}
      return
    fi
  done
  printf 'no URL from: %s\n%s' "$*" "$printed"
}

# check NAME COMMAND...: runs and counts a check in the work folder, and prints its output if it fails. Bash ignores `set -e` in
# a condition, so the check runs as a separate command.
check() {
  local name=$1 status
  shift
  set +e
  (set -e; cd "$work"; "$@") </dev/null >"$work/check.log" 2>&1
  status=$?
  set -e
  if [ "$status" = 0 ]; then
    passed=$((passed + 1))
    echo "ok $name"
  else
    failed=$((failed + 1))
    echo "FAILED $name"
    sed 's/^/    /' "$work/check.log"
  fi
}

summary() {
  echo "$passed passed, $failed failed"
  [ "$failed" = 0 ]
}

# same NAME ACTUAL EXPECTED
same() {
  [ "$2" = "$3" ] && return
  printf '%s: %s, not %s\n' "$1" "$2" "$3"
  return 1
}

# like NAME ACTUAL PATTERN
like() {
  # shellcheck disable=SC2053
  [[ $2 == $3 ]] && return
  printf '%s: %s, not like %s\n' "$1" "${2:-nothing}" "$3"
  return 1
}

# value FILE EXPRESSION: evaluates a Python expression, in which `it` is the JSON document.
value() {
  "$python" -c 'import json, sys; print(eval(sys.argv[2], {"it": json.load(open(sys.argv[1]))}))' "$1" "$2"
}

# header FILE NAME: prints a header of a response that `curl -i` or `curl -D` has written.
header() {
  tr -d '\r' <"$1" | sed -n "/^$/q; s/^$2: //Ip"
}
