# What the doors need before they can do their work. Sourced, never run.
#
# Each need is one function that is quick when it is met already. Everything lives in the cache folder, outside the
# checkout, so that a second checkout or a fresh clone starts warm; the checkout only gets a link, `node_modules`.
#
#   POSTERN_CACHE            the cache folder (default: $XDG_CACHE_HOME/postern or ~/.cache/postern)
#   POSTERN_WASM_TOOLCHAIN   rustup | debian: who provides the wasm32 library (default: whichever can)

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cache=${POSTERN_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/postern}
native_target=${CARGO_TARGET_DIR:-$cache/target/native}
wasm_target=$cache/target/wasm
wasm_triple=wasm32-unknown-unknown
worker_build_version=0.8.7

# A command that fails where nobody looks at its status still says where.
set -E
trap 'printf "error: %s:%s: %s\n" "${BASH_SOURCE[0]}" "$LINENO" "$BASH_COMMAND" >&2' ERR

say() { printf '%s\n' "$*" >&2; }

# fail WHAT [HOW TO GET IT]...
fail() {
  printf 'error: %s\n' "$1" >&2
  shift
  local hint
  for hint in "$@"; do printf '       %s\n' "$hint" >&2; done
  exit 1
}

# long_step NAME WHY COMMAND...: runs a command that may take minutes; its output goes to a log file, of which the
# person sees a line every 15 seconds, and the end if it fails.
long_step() {
  local name=$1 why=$2 log=$cache/log/$1.log
  shift 2
  mkdir -p "$cache/log"
  say "· $name: $why"
  local started=$SECONDS pid ticker status=0
  # A process group of its own, so that Ctrl-C can end all of it; a plain background job would ignore it.
  set -m
  "$@" >"$log" 2>&1 </dev/null 9>&- &
  pid=$!
  set +m
  (
    while sleep 15 >/dev/null 2>&1; do
      printf '    %3d s  %s\n' $((SECONDS - started)) "$(tail -n 1 "$log" | tr -d '\r' | cut -c 1-100)" >&2
    done
  ) 9>&- &
  ticker=$!
  trap 'kill -- "-$pid" "$ticker" 2>/dev/null; say "interrupted"; exit 130' INT TERM HUP
  wait "$pid" || status=$?
  trap - INT TERM HUP
  kill "$ticker" 2>/dev/null || true
  wait "$ticker" 2>/dev/null || true
  if [ "$status" -ne 0 ]; then
    tail -n 30 "$log" >&2
    say "  the whole log: $log"
    return "$status"
  fi
  say "  done in $((SECONDS - started)) s"
}

# with_lock NAME COMMAND...: runs a command while no other process of this cache runs one under the same name.
with_lock() {
  local lock=$cache/$1.lock
  shift
  mkdir -p "$cache"
  if ! command -v flock >/dev/null; then
    "$@"
    return
  fi
  exec 9>"$lock"
  if ! flock -n 9; then
    say "waiting for another process that holds $lock"
    flock 9
  fi
  "$@"
  exec 9>&-
}

can_apt() { command -v apt-get >/dev/null && { [ "$(id -u)" = 0 ] || command -v sudo >/dev/null; }; }

# apt_install WHY PACKAGE...: installs what is missing, and says so before it does.
apt_install() {
  local why=$1 package missing=() sudo=()
  shift
  for package in "$@"; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
  done
  [ ${#missing[@]} -eq 0 ] && return
  can_apt || fail "$why needs the packages ${missing[*]}" "as root: apt-get install ${missing[*]}"
  [ "$(id -u)" = 0 ] || sudo=(sudo)
  say "$why needs packages of the system; running: ${sudo:+sudo }apt-get install ${missing[*]}"
  # Asks for the password here, where there is a terminal.
  [ ${#sudo[@]} -eq 0 ] || sudo -v
  if [ ! -e "$cache/apt-updated" ] || [ -n "$(find "$cache/apt-updated" -mmin +1440)" ]; then
    long_step apt-update "refreshes the list of packages" "${sudo[@]}" apt-get update ||
      say "  the list could not be refreshed; going on with the one that is there"
    touch "$cache/apt-updated"
  fi
  long_step apt-install "installs ${missing[*]}" \
    "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${missing[@]}" ||
    fail "apt-get could not install ${missing[*]}" "install them by hand and run this again"
}

need_compiler() {
  command -v cc >/dev/null && return
  if can_apt; then
    apt_install "Compiling" build-essential
  else
    fail "there is no C compiler (cc)" "install your system's compiler (Debian: build-essential, macOS: xcode-select --install)"
  fi
}

# libFuzzer is C++.
need_cpp_compiler() {
  command -v c++ >/dev/null && return
  if can_apt; then
    apt_install "Fuzzing" g++
  else
    fail "there is no C++ compiler (c++)" "install your system's compiler (Debian: g++, macOS: xcode-select --install)"
  fi
}

need_cargo() {
  local wanted have
  if ! command -v cargo >/dev/null; then
    can_apt && [ -n "$(apt-cache search --names-only '^cargo-web$')" ] ||
      fail "there is no Rust toolchain (cargo)" "get one from https://rustup.rs and run this again"
    apt_install "Building" rustc-web cargo-web
  fi
  wanted=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' "$root/Cargo.toml")
  have=$(rustc --version | awk '{ print $2 }')
  [ "$(printf '%s\n%s\n' "$wanted" "$have" | sort -V | head -n 1)" = "$wanted" ] ||
    fail "Rust $have is too old; Postern needs $wanted" "rustup update stable"
}

# need_cargo_component SUBCOMMAND RUSTUP_COMPONENT DEBIAN_PACKAGE
need_cargo_component() {
  (cd "$root" && cargo "$1" --version) >/dev/null 2>&1 && return
  if command -v rustup >/dev/null; then
    timeout 300 rustup component add "$2" >&2 || fail "rustup could not add $2"
  else
    apt_install "cargo $1" "$3"
  fi
}

has_wasm_library() {
  compgen -G "$1/lib/rustlib/$wasm_triple/lib/libcore-*.rlib" >/dev/null
}

# need_wasm_toolchain: sets what `use_wasm_toolchain` puts in force.
need_wasm_toolchain() {
  debian_toolchain=
  case ${POSTERN_WASM_TOOLCHAIN:-} in
    debian) need_debian_wasm ;;
    rustup) need_rustup_wasm || fail "rustup could not add $wasm_triple" "POSTERN_WASM_TOOLCHAIN=debian uses Debian's compiler" ;;
    '') need_rustup_wasm || need_debian_wasm ;;
    *) fail "POSTERN_WASM_TOOLCHAIN is rustup or debian" ;;
  esac
}

need_rustup_wasm() {
  has_wasm_library "$(cd "$root" && rustc --print sysroot)" && return
  command -v rustup >/dev/null || return 1
  (cd "$root" && long_step rustup-target "adds the standard library for $wasm_triple, which the worker is compiled for" \
    timeout 300 rustup target add "$wasm_triple") || return 1
}

# Debian's compiler has the library's source but no wasm32 build of it: built once, kept in the cache.
need_debian_wasm() {
  [ -r /etc/debian_version ] ||
    fail "no wasm32 standard library" "rustup target add $wasm_triple, then run this again"
  local llvm
  apt_install "The wasm32 library" rustc-web cargo-web rust-web-src
  llvm=$(/usr/bin/rustc -vV | sed -n 's/^LLVM version: \([0-9]*\).*/\1/p')
  apt_install "Linking wasm" "lld-$llvm"
  debian_toolchain=$cache/toolchain/debian-$(/usr/bin/rustc --version | awk '{ print $2 }')
  [ -e "$debian_toolchain/complete" ] && return
  long_step wasm-library "compiles Rust's standard library for $wasm_triple, which Debian does not ship (1 minute, once)" \
    build_debian_wasm "$debian_toolchain" "/usr/lib/llvm-$llvm/bin/lld" || fail "the wasm32 library could not be built"
}

build_debian_wasm() {
  local into=$1 linker=$2 work=$1/work library=$1/sysroot/lib/rustlib
  rm -rf "$into" "$wasm_target-debian"
  mkdir -p "$work/src" "$library/$wasm_triple/lib" "$into/bin"
  printf '[package]\nname = "empty"\nversion = "0.0.0"\nedition = "2024"\n' >"$work/Cargo.toml"
  : >"$work/src/lib.rs"
  (
    cd "$work"
    # Without bitcode in the library, link-time optimisation of the worker fails.
    PATH=/usr/bin:$PATH RUSTC=/usr/bin/rustc RUSTC_BOOTSTRAP=1 RUSTFLAGS=-Cembed-bitcode=yes CARGO_TARGET_DIR=$work/target \
      /usr/bin/cargo build --release --target $wasm_triple -Zbuild-std=std,panic_abort,proc_macro
  ) || return
  find "$work/target/$wasm_triple/release/deps" -name '*.rlib' ! -name 'libempty-*' \
    -exec cp {} "$library/$wasm_triple/lib/" \;
  cat >"$into/bin/rustc" <<WRAPPER
#!/bin/sh
case "\$*" in
  *$wasm_triple*) exec /usr/bin/rustc --sysroot "$into/sysroot" "\$@" ;;
  *) exec /usr/bin/rustc "\$@" ;;
esac
WRAPPER
  chmod +x "$into/bin/rustc"
  ln -s "$linker" "$into/bin/rust-lld"
  ln -s /usr/bin/cargo "$into/bin/cargo"
  ln -s /usr/bin/cargo-clippy "$into/bin/cargo-clippy"
  rm -rf "$work"
  has_wasm_library "$into/sysroot" && touch "$into/complete"
}

# Puts the toolchain that has the wasm32 library first, for this process and its children.
use_wasm_toolchain() {
  export CARGO_TARGET_DIR=$wasm_target
  [ -n "$debian_toolchain" ] || return 0
  export PATH=$debian_toolchain/bin:$PATH RUSTC=$debian_toolchain/bin/rustc
  # Another compiler's artefacts next to ours would be rebuilt at every change of toolchain.
  export CARGO_TARGET_DIR=$wasm_target-debian
}

need_wasm_clippy() {
  [ -z "$debian_toolchain" ] || apt_install "clippy for wasm32" rust-web-clippy
}

# need_cargo_tool CRATE VERSION BINARY WHY: a program from the crate registry, in a folder of its own.
need_cargo_tool() {
  local crate=$1 version=$2 binary=$3 why=$4 folder=$cache/tools/$1-$2
  [ -x "$folder/bin/$binary" ] && return
  local install=(env -u RUSTC CARGO_TARGET_DIR="$cache/target/tools" cargo install "$crate" --version "=$version" --root "$folder" --force)
  long_step "$crate" "$why (about 5 minutes, once)" "${install[@]}" --locked && return
  say "  its own lock file cannot be used here; trying again with the versions the registry has"
  long_step "$crate" "$why" "${install[@]}" || fail "$crate $version could not be installed" "cargo install $crate --version $version"
}

need_worker_build() {
  local wasm_bindgen_version
  wasm_bindgen_version=$(awk '$1 == "name" && $3 == "\"wasm-bindgen\"" { getline; gsub("\"", "", $3); print $3 }' "$root/Cargo.lock")
  need_cargo_tool worker-build "$worker_build_version" worker-build "turns the crate into a worker"
  need_cargo_tool wasm-bindgen-cli "$wasm_bindgen_version" wasm-bindgen "makes the JavaScript side of the wasm module; its version is the one in Cargo.lock"
  worker_build_bin=$cache/tools/worker-build-$worker_build_version/bin/worker-build
  export WASM_BINDGEN_BIN=$cache/tools/wasm-bindgen-cli-$wasm_bindgen_version/bin/wasm-bindgen
}

need_node() {
  if ! command -v npm >/dev/null && can_apt; then
    apt_install "wrangler" nodejs npm
  fi
  command -v npm >/dev/null || fail "there is no npm" "get Node 22.12 or newer from https://nodejs.org and run this again"
  local folder
  folder=$cache/npm/$(node -e 'const c = require("node:crypto"), fs = require("node:fs");
    console.log(c.createHash("sha256").update(fs.readFileSync(process.argv[1])).digest("hex").slice(0, 16))' "$root/package-lock.json")
  [ -e "$folder/complete" ] || install_node_packages "$folder"
  link_node_modules "$folder/node_modules"
  export PATH=$root/node_modules/.bin:$PATH
  export WASM_OPT_BIN=$root/node_modules/.bin/wasm-opt ESBUILD_BIN=$root/node_modules/.bin/esbuild
  export CI=1 WRANGLER_SEND_METRICS=false NO_UPDATE_NOTIFIER=1
}

# Of all the packages only two may run code of their own while installing: `node` fetches the Node that everything runs
# on, esbuild puts its binary in place.
install_node_packages() {
  local folder=$1
  mkdir -p "$folder"
  cp "$root/package.json" "$root/package-lock.json" "$folder/"
  long_step npm-ci "installs wrangler, MCP clients and the test servers (1 minute, once)" \
    npm ci --prefix "$folder" --ignore-scripts --no-audit --no-fund || fail "npm ci failed"
  long_step npm-node "fetches the Node that package.json pins" \
    npm rebuild --prefix "$folder" --foreground-scripts node esbuild || fail "npm could not fetch Node"
  touch "$folder/complete"
}

link_node_modules() {
  [ "$(readlink "$root/node_modules" || true)" = "$1" ] && return
  [ -d "$root/node_modules" ] && [ ! -L "$root/node_modules" ] &&
    fail "$root/node_modules is a folder of somebody else's" "remove it, then run this again: a link to the cache takes its place"
  ln -sfn "$1" "$root/node_modules"
}

need_chromium() {
  local name
  for name in "${CHROMIUM:-}" chromium chromium-browser google-chrome; do
    CHROMIUM=$(command -v "$name") && break
  done
  if [ -z "$CHROMIUM" ]; then
    can_apt || fail "there is no Chromium for the browser tests" "install it, or point CHROMIUM at one"
    apt_install "The browser tests" chromium
    CHROMIUM=/usr/bin/chromium
  fi
  export CHROMIUM
}

# Exports CLAUDE_CODE, the program: the version that the tests' own lock file names.
need_claude_code() {
  local from=$root/tests/e2e/claude-code folder
  folder=$cache/npm/claude-code-$(sha256sum "$from/package-lock.json" | cut -c 1-16)
  if [ ! -e "$folder/complete" ]; then
    mkdir -p "$folder"
    cp "$from/package.json" "$from/package-lock.json" "$folder/"
    long_step claude-code "fetches Claude Code, which a test drives (380 MB, once)" \
      npm ci --prefix "$folder" --ignore-scripts --no-audit --no-fund || fail "npm could not fetch Claude Code"
    touch "$folder/complete"
  fi
  CLAUDE_CODE=$(compgen -G "$folder/node_modules/@anthropic-ai/claude-code-*/claude") ||
    fail "Claude Code has no program for this system" "the other tests: scripts/test e2e NAME"
  export CLAUDE_CODE
}

# Exports RMCP_CLIENT, the program: a client of the official Rust library, built from the tests' own crate.
need_rmcp_client() {
  local from=$root/tests/clients/rmcp target=$cache/target/rmcp
  RMCP_CLIENT=$cache/tools/rmcp-client-$(cat "$from"/Cargo.{toml,lock} "$from/src/main.rs" | sha256sum | cut -c 1-16)
  if [ ! -x "$RMCP_CLIENT" ]; then
    long_step rmcp-client "compiles a client of the official Rust library, which a test drives (1 minute, once)" \
      env CARGO_TARGET_DIR="$target" cargo build --locked --manifest-path "$from/Cargo.toml" || fail "the Rust client did not build"
    mkdir -p "$cache/tools"
    cp "$target/debug/postern-rmcp-client" "$RMCP_CLIENT"
  fi
  export RMCP_CLIENT
}

need_openssl() {
  command -v openssl >/dev/null && return
  apt_install "The tests' certificates" openssl
}

# Everything that building and running the worker takes. Afterwards PATH has the pinned Node and wrangler first.
setup_worker() {
  local started=$SECONDS
  with_lock setup need_all_for_worker
  say "set-up: ready ($((SECONDS - started)) s)"
}

need_all_for_worker() {
  need_compiler
  need_cargo
  need_wasm_toolchain
  need_worker_build
  need_node
}

# Everything that scripts of Node alone take.
setup_node() { with_lock setup need_node; }
