# Building and running the fuzz targets of fuzz/, with libFuzzer and the stable compiler. Sourced by the doors, after setup.sh.

fuzz_target=$cache/target/fuzz
# What libFuzzer steers by: counters in the code, where they are, and what is compared with what.
fuzz_flags="-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 -Cllvm-args=-sanitizer-coverage-inline-8bit-counters"
fuzz_flags+=" -Cllvm-args=-sanitizer-coverage-pc-table -Cllvm-args=-sanitizer-coverage-trace-compares"
# What a run of all targets gives each.
fuzz_seconds=4

# Sets fuzz_programs. The host is named, so that the flags are for the targets alone, not for macros and build scripts.
build_fuzz() {
  local host
  with_lock setup need_cpp_compiler
  host=$(rustc -vV | sed -n 's/^host: //p')
  RUSTFLAGS=$fuzz_flags CARGO_TARGET_DIR=$fuzz_target \
    cargo build --locked --manifest-path "$root/fuzz/Cargo.toml" --target "$host" ||
    fail "the fuzz targets did not build" \
      "where Cargo.lock changed: cargo update --workspace --manifest-path fuzz/Cargo.toml"
  fuzz_programs=$fuzz_target/$host/debug
}

# fuzz_each: every target for a few seconds, from the seeds alone.
fuzz_each() {
  local target found
  build_fuzz
  for target in "$root"/fuzz/targets/*.rs; do
    target=$(basename "$target" .rs)
    found=$results/fuzz-$target
    mkdir -p "$found"
    run_fuzz_target "$target" "$fuzz_seconds" "$found"
  done
}

# fuzz_one TARGET SECONDS: what it finds is kept beside the caches, and is where the next run begins.
fuzz_one() {
  local found=$cache/fuzz/$1
  [ -e "$root/fuzz/targets/$1.rs" ] || fail "there is no fuzz target $1" "there are: $(cd "$root/fuzz/targets" && echo *.rs | sed 's/\.rs//g')"
  build_fuzz
  mkdir -p "$found"
  run_fuzz_target "$1" "$2" "$found"
}

# run_fuzz_target TARGET SECONDS FOUND
run_fuzz_target() {
  local target=$1 seconds=$2 found=$3 log=$cache/log/fuzz-$1.log
  mkdir -p "$cache/fuzz"
  if ! long_step "fuzz-$target" "runs the target for $seconds seconds" \
    "$fuzz_programs/$target" "$found" "$root/fuzz/corpus/$target" -dict="$root/fuzz/words.dict" -max_total_time="$seconds" \
    -max_len=8192 -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 -artifact_prefix="$cache/fuzz/$target-"; then
    grep -A 2 'panicked at' "$log" || true
    fail "the fuzz target $target found something" "again: POSTERN_SHOW=1 $fuzz_programs/$target FILE, with the file that is named above" \
      "once it is mended, keep the file as a seed in fuzz/corpus/$target"
  fi
  printf 'fuzz: %-10s %s runs, %s\n' "$target" "$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")" \
    "$(grep -E '^#[0-9]+.*cov:' "$log" | tail -n 1 | sed -E 's/.*(cov: [0-9]+ ft: [0-9]+ corp: [0-9]+).*/\1/')"
}
