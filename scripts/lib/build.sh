# From the crate to build/index.js and its wasm module. Sourced by the doors, after setup.sh.

# The free plan and a quick cold start both ask for a small module.
wasm_limit_gzipped=$((1024 * 1024 * 12 / 10))

# build_worker release|dev|contract: with_lock, since all checkouts share one target directory. `contract` is a
# development build with what only tests need inside the runtime, the ports' suites and the conformance suite's tenant, in a
# folder of its own.
build_worker() { with_lock build build_worker_alone "$1"; }

build_worker_alone() {
  local mode=$1 folder=build stamp
  [ "$mode" != contract ] || folder=build-contract
  stamp="$mode $(source_hash)"
  if [ "$(cat "$root/$folder/stamp" 2>/dev/null || true)" != "$stamp" ]; then
    rm -rf "${root:?}/$folder"
    long_step "worker-$mode" "compiles the crate to wasm (minutes when cold, seconds when warm)" \
      run_worker_build "$mode" "$folder" || fail "the worker did not build"
    printf '%s\n' "$stamp" >"$root/$folder/stamp"
  fi
  [ "$mode" != release ] || check_wasm_size
}

# Whatever the worker is made from; a change of it is a new build.
source_hash() {
  (
    cd "$root"
    shopt -s nullglob
    find src Cargo.toml Cargo.lock scripts/lib/build.sh schema* .cargo* askama.toml* -type f -print0 |
      LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum | cut -c 1-32
  )
}

run_worker_build() (
  cd "$root"
  use_wasm_toolchain
  local profile=$1 features=()
  if [ "$1" = contract ]; then
    profile=dev
    features=(-- --features contract)
  fi
  # An event that has begun runs to its end even if the client has gone: what is half done would have to be recovered.
  RUN_TO_COMPLETION=1 "$worker_build_bin" "--$profile" --out-dir "$2" "${features[@]}"
  [ "$profile" != release ] || strip_names "$2/index_bg.wasm"
)

# Functions' names are a tenth of a module, and worker-build keeps them. They go last: wasm-bindgen finds its own by name.
strip_names() {
  "$WASM_OPT_BIN" "$1" --strip-debug --output "$1.stripped" \
    --enable-{mutable-globals,sign-ext,nontrapping-float-to-int,bulk-memory,multivalue,reference-types,exception-handling}
  mv "$1.stripped" "$1"
}

check_wasm_size() {
  local module raw gzipped
  module=$(find "$root/build" -name '*.wasm' | head -n 1)
  raw=$(wc -c <"$module")
  gzipped=$(gzip -9 -c "$module" | wc -c)
  say "wasm: $((raw / 1024)) KiB raw, $((gzipped / 1024)) KiB gzipped (limit $((wasm_limit_gzipped / 1024)) KiB gzipped)"
  [ "$gzipped" -le "$wasm_limit_gzipped" ] || fail "the wasm module is too big"
}
