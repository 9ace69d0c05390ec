#!/usr/bin/env bash
# usage: tests/fuzz/run.sh DIR SECONDS [JOBS] [NAME ...]
# Runs the fuzzers of build directory DIR (all, or those named) for SECONDS each, JOBS at a time,
# from the seeds in tests/fuzz/corpus/NAME and what earlier runs found interesting. Fails where one
# finds a fault, and names the input to reproduce it with; each run's output is in DIR/fuzz/NAME.log.
set -euo pipefail
dir=$(realpath "$1") seconds=$2 jobs=${3:-1}
shift $(($# < 3 ? $# : 3))
corpora=$(dirname "$(realpath "$0")")/corpus
[ $# -gt 0 ] || mapfile -t names < <(ls "$corpora")
[ $# -eq 0 ] || names=("$@")

run_one() {
  local name=$1 out=$dir/fuzz/$1
  mkdir -p "$out/corpus" "$out/findings"
  export UBSAN_OPTIONS=print_stacktrace=1
  if "$dir/bin/${name}_fuzz" -max_total_time="$seconds" -timeout=20 -rss_limit_mb=2048 \
      -print_final_stats=1 -artifact_prefix="$out/findings/" "$out/corpus" "$corpora/$name" \
      > "$out.log" 2>&1; then
    echo "$name: $(sed -n 's/^stat::number_of_executed_units: *//p' "$out.log") inputs, no fault"
  else
    tail -n 40 "$out.log" | grep -a -v '^stat::' >&2
    local input
    input=$(sed -n 's/.*Test unit written to //p' "$out.log" | tail -1)
    echo "$name: FAULT (log: $out.log); reproduce: $dir/bin/${name}_fuzz ${input:-}" >&2
    return 1
  fi
}
export -f run_one
export dir seconds corpora
printf '%s\n' "${names[@]}" | xargs -P "$jobs" -I{} bash -c 'run_one {}'
