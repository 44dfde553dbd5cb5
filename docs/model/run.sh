#!/usr/bin/env bash
# Searches the models. No arguments: the complete searches that take seconds, and every mutation.
#   --all        the larger searches too
#   --mutations  only the mutations
# One line a search: name, result, states, CPU seconds. JOBS (2) searches run at a time; a large one takes up to 3 GB.
# Exit 1: an error was found, a search was not completed, or a mutation was not found. Exit 2: spin or the C compiler is missing.
set -u
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
CC=${CC:-cc}

ring() { # set, name, parameters of ring.pml in its order, mutation
  echo "$1 ring $2 -DN=$3 -DNP=$4 -DNR=$5 -DLAST=$6 -DWAIT=$7 -DKEEP=$8 -DKILL=$9 -DNREC=${10} -DLATE=${11}${12:+ -DMUT_${12}}"
}
reuse() { # the same, of a depot without history
  echo "$(ring "$@") -DREUSE=1"
}
other() { # set, model, name, flags
  echo "$@"
}
list() {
  #                              N NP NR LAST WAIT KEEP KILL NREC LATE
  ring quick overwrite           2 2 1 4 0 1 0 0 0
  ring quick wait                2 2 1 4 1 1 0 0 0
  ring quick three-producers     2 3 1 2 0 1 0 0 0
  ring quick two-readers         2 2 2 2 0 1 0 0 0
  ring quick two-readers-wait    2 2 2 2 1 1 0 0 0
  ring quick lossless            2 1 2 4 1 1 0 0 0
  ring quick producer-dies       2 2 1 3 0 1 1 0 0
  ring quick producer-dies-wait  2 2 1 3 1 1 1 0 0
  ring quick producer-recovered  2 2 1 2 0 1 1 1 0
  ring quick one-slot            1 2 1 4 0 1 1 0 0
  ring quick one-slot-wait       1 2 1 3 1 1 1 0 0
  ring quick reader-dies-wait    2 1 2 2 1 1 2 1 0
  ring quick recoverer-dies      2 1 1 2 0 1 3 2 0
  ring quick entry-reused        2 1 1 3 0 1 2 1 1
  reuse quick reuse              2 2 1 4 1 1 0 0 0
  reuse quick reuse-two-readers  2 1 2 4 1 1 0 0 0
  reuse quick reuse-producer     2 2 1 3 1 1 1 0 0
  reuse quick reuse-recovered    2 1 1 3 1 1 3 1 0
  ring large reader-dies-longer  2 1 2 3 1 1 2 1 0
  ring large recovered-longer    2 2 1 3 0 1 1 1 0
  ring large recoverer-longer    2 1 1 4 0 1 3 2 0
  ring large entry-recoverer     2 1 1 2 0 1 2 2 1
  ring mutation no-pin-check               2 2 1 3 0 1 0 0 0 NO_PIN_CHECK
  ring mutation claimed-after-head         2 1 1 3 0 1 0 0 0 CLAIMED_AFTER_HEAD
  ring mutation sequence-stays             2 2 1 3 0 1 0 0 0 SEQUENCE_STAYS
  ring mutation leaves-before-publishing   2 1 1 3 0 1 0 0 0 LEAVES_BEFORE_PUBLISHING
  ring mutation no-room-check              2 1 1 3 1 1 0 0 0 NO_ROOM_CHECK
  ring mutation looks-before-pin           2 2 1 3 0 1 0 0 0 LOOKS_BEFORE_PIN
  ring mutation decide-sequence-first      2 1 1 3 1 1 0 0 0 DECIDE_SEQUENCE_FIRST
  ring mutation recovery-clears-sequence   2 2 1 3 1 1 1 0 0 RECOVERY_CLEARS_SEQUENCE
  ring mutation recovery-without-cas       2 2 1 3 0 1 1 0 0 RECOVERY_WITHOUT_CAS
  ring mutation entry-before-pins          2 1 1 3 0 1 2 1 1 ENTRY_BEFORE_PINS
  ring mutation lock-stays                 2 1 1 2 0 1 2 2 0 LOCK_STAYS

  reuse mutation reuse-pinned              2 1 1 4 1 1 0 0 0 REUSE_PINNED
  reuse mutation reuse-unclaimed           2 2 1 4 1 1 0 0 0 REUSE_UNCLAIMED
  reuse mutation reuse-in-two-steps        2 2 1 4 1 1 1 0 0 REUSE_IN_TWO_STEPS
  reuse mutation reuse-unread              2 1 1 4 1 1 0 0 0 REUSE_UNREAD

  other quick room join           -DLAST=2
  other quick room two-producers  -DLAST=2 -DOLD=1 -DNPROD=2
  other quick room two-joiners    -DOLD=1 -DNJOIN=2
  other quick room two-slots      -DN=2 -DOLD=1
  other quick room clear          -DOLD=1 -DCLEAR
  other quick room leave          -DNJOIN=0
  other quick room crash          -DLAST=2 -DOLD=1 -DCRASH
  other quick room crash-leaving  -DNJOIN=0 -DCRASH
  other large room join-longer    -DLAST=3
  other large room two-producers-longer -DOLD=1 -DNPROD=2
  other large room clear-two      -DLAST=2 -DCLEAR
  other large room clear-producers -DNJOIN=0 -DNPROD=2 -DCLEAR
  other large room crash-clear    -DLAST=2 -DOLD=1 -DCRASH -DCLEAR
  local mutation
  for mutation in CHECK_BEFORE_RAISE GATE_TAKES_TAIL IGNORE_JOINS CHOOSES_BEFORE_GATING JOINER_WITHOUT_JOINS JOIN_IGNORES_TAIL; do
    other mutation room "$(name "$mutation")" -DLAST=2 -DOLD=1 "-DMUT_$mutation"
  done
  for mutation in LEAVE_WITHOUT_TAIL LEAVE_ASKS_FOR_OTHERS; do
    other mutation room "$(name "$mutation")" -DNJOIN=0 "-DMUT_$mutation"
  done
  other mutation room clear-sets-tail -DOLD=1 -DCLEAR -DMUT_CLEAR_SETS_TAIL

  other quick wake two-by-two
  other quick wake three-sleepers -DNS=3 -DCHANGES=1
  other quick wake three-wakers   -DNS=1 -DNW=3
  other quick wake take           -DTAKE
  other quick wake crash          -DCRASH -DCHANGES=1
  other quick wake take-crash     -DTAKE -DCRASH -DCHANGES=1
  other quick wake early          -DEARLY -DNS=1
  other quick wake early-sleepers -DEARLY -DCHANGES=1
  other large wake early-take        -DEARLY -DTAKE
  other large wake early-crash       -DEARLY -DCRASH -DCHANGES=1
  other large wake crash-longer      -DCRASH
  other large wake take-crash-longer -DTAKE -DCRASH
  for mutation in FLAG_BEFORE_WORD WORD_BEFORE_FLAG FLAG_AFTER_WAKE NO_SECOND_LOOK FLAG_BEFORE_CHANGE; do
    other mutation wake "$(name "$mutation")" "-DMUT_$mutation"
  done
  other mutation wake early-is-enough -DEARLY -DCHANGES=1 -DMUT_EARLY_IS_ENOUGH
  other mutation wake no-timeout -DCRASH -DCHANGES=1 -DMUT_NO_TIMEOUT
}
name() { tr 'A-Z_' 'a-z-' <<<"$1"; }

search() { # directory, line of the list; leaves a file "failed" if the outcome is not the wanted one
  local set model name flags result states seconds why note= TIMEFORMAT=%U
  read -r set model name flags <<<"$2"
  mkdir "$1/$model-$name" && cd "$1/$model-$name" || exit 1
  # shellcheck disable=SC2086
  if ! spin -a $flags "$here/$model.pml" >made 2>&1 ||
    ! "$CC" -O2 -w -DSAFETY -DNOFAIR -DCOLLAPSE -DMEMLIM=12000 -o pan pan.c >>made 2>&1; then
    cat made; : >>"$1/failed"
    printf '%-34s %-10s\n' "$model-$name" ERROR
    return
  fi
  { time ./pan -n -m200000 >out 2>&1; } 2>seconds
  seconds=$(tail -n 1 seconds)
  states=$(awk '/states, stored/ { print $1; exit }' out)
  why=$(grep -E '^pan:.*(assertion violated|invalid end state)' out | head -n 1)
  if [ -n "$why" ]; then result=ERROR
  elif grep -q 'errors: 0' out && ! grep -qiE 'not completed|depth too small|out of memory|memory (limit|bound)|reached -' out; then result=ok
  else result=INCOMPLETE
  fi
  if [ "$set" = mutation ]; then
    case $result in ERROR) result=found ;; *) result="NOT FOUND"; : >>"$1/failed" ;; esac
  elif [ "$result" != ok ]; then
    : >>"$1/failed"
    note="  ${why:-$(grep -iE '^error|^pan:|warning' out | head -n 1)}  [spin -a $flags $model.pml]"
  fi
  printf '%-34s %-10s %12s %8s%s\n' "$model-$name" "$result" "${states:--}" "$seconds" "$note"
  cd / && rm -rf "${1:?}/$model-$name"
}

if [ "${1:-}" = --search ]; then # by xargs below: directory, number of the line
  search "$2" "$(sed -n "${3}p" "$2/list")"
  exit 0
fi
case ${1:-} in
'') sets='quick|mutation' ;;
--all) sets='quick|large|mutation' ;;
--mutations) sets='mutation' ;;
*) sed -n '2,4p' "$0" >&2; exit 2 ;;
esac
for tool in spin "$CC"; do
  command -v "$tool" >/dev/null || { echo "$0: $tool is not installed: the models cannot be searched" >&2; exit 2; }
done
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
trap 'exit 130' INT TERM
list | grep -E "^($sets) " >"$directory/list"
count=$(grep -c . "$directory/list")
seq "$count" | xargs -P "${JOBS:-2}" -n 1 bash "$here/run.sh" --search "$directory" || : >"$directory/failed"
if [ -e "$directory/failed" ]; then echo "models: FAILED ($count searches)"; exit 1; fi
echo "models: ok ($count searches)"
