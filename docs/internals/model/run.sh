#!/usr/bin/env bash
# Searches the models. No arguments: the complete searches that take seconds, and every mutation.
#   --all        the larger searches too
#   --mutations  only the mutations
# One line a search: name, result, states, CPU seconds. JOBS (2) searches run at a time; a large one takes up to 3 GB.
# Exit 1: an error was found, a search was not completed, or a mutation was not found. Exit 2: spin or the C compiler is missing.
set -u
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
CC=${CC:-cc}

ring() { # set, name, parameters of ring.pml in its order, further definitions
  local definition
  printf '%s ring %s -DN=%s -DNP=%s -DNR=%s -DLAST=%s -DWAIT=%s -DKEEP=%s -DKILL=%s -DNREC=%s -DLATE=%s' "${@:1:11}"
  for definition in "${@:12}"; do printf ' -D%s' "$definition"; done
  echo
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
  ring quick recoverer-dies      2 1 1 2 0 1 3 2 0 SLICES=1
  ring quick entry-reused        2 1 1 3 0 1 2 1 1
  ring quick back                2 2 1 3 0 1 0 0 0 BACK=1
  ring quick back-wait           2 2 1 3 1 1 0 0 0 BACK=1
  ring quick back-dies           2 2 1 3 0 0 1 0 0 BACK=1 COUNT=1
  ring quick catch-up            2 2 1 4 1 1 0 0 0 CATCH=1
  ring quick catch-up-two        2 1 1 4 1 1 0 0 0 CATCH=2
  ring quick catch-up-dies       2 2 1 3 1 1 1 0 0 CATCH=1
  ring quick count               2 2 1 3 0 1 1 0 0 COUNT=1
  ring quick count-recovered     2 2 1 2 0 0 1 1 0 COUNT=1
  ring quick lanes               1 2 1 2 0 1 0 0 0 LANES=1
  ring quick lanes-wait          2 2 1 2 1 1 0 0 0 LANES=1
  ring quick lanes-readers       2 1 2 2 1 1 0 0 0 LANES=1
  ring quick lanes-back          1 2 1 2 0 0 0 0 0 LANES=1 BACK=1
  ring quick lanes-dies          2 2 1 2 0 0 1 0 0 LANES=1
  ring quick lanes-recovered     2 1 1 2 1 1 3 1 0 LANES=1
  ring quick lanes-rest          2 2 1 2 1 1 0 0 0 LANES=1 CYCLES
  ring quick end                 2 2 1 3 0 1 0 0 0 END=1
  ring quick end-wait            2 2 1 3 1 1 0 0 0 END=1
  ring quick end-two-readers     2 1 2 2 1 1 0 0 0 END=1
  ring quick end-dies            2 2 1 3 0 0 1 0 0 END=1
  ring quick end-lanes           1 2 1 2 1 0 0 0 0 END=1 LANES=1
  ring quick end-lanes-slots     2 1 1 3 1 0 0 0 0 END=1 LANES=1
  ring large end-back            2 2 1 3 1 1 0 0 0 END=1 BACK=1
  ring large end-dies-wait       2 2 1 3 1 1 1 0 0 END=1 COUNT=1
  ring large reader-dies-longer  2 1 2 3 1 1 2 1 0
  ring large recovered-longer    2 2 1 3 0 1 1 1 0
  ring large recoverer-longer    2 1 1 3 0 1 3 2 0 SLICES=1
  ring large entry-recoverer     1 1 1 2 0 0 2 2 1
  ring large entry-slices        2 1 1 2 0 0 2 2 1 SLICES=1
  ring large lanes-longer        1 2 1 3 0 1 0 0 0 LANES=1
  ring large lanes-wait-longer   2 2 1 3 1 1 0 0 0 LANES=1
  ring large lanes-dies-wait     2 2 1 2 1 1 1 0 0 LANES=1
  ring large lanes-rest-one      1 2 1 2 1 1 0 0 0 LANES=1 CYCLES
  ring mutation no-pin-check               2 2 1 3 0 1 0 0 0 MUT_NO_PIN_CHECK
  ring mutation claimed-after-head         2 1 1 3 0 1 0 0 0 MUT_CLAIMED_AFTER_HEAD
  ring mutation sequence-stays             2 2 1 3 0 1 1 0 0 MUT_SEQUENCE_STAYS
  ring mutation leaves-before-publishing   2 1 1 3 0 1 0 0 0 MUT_LEAVES_BEFORE_PUBLISHING
  ring mutation no-room-check              2 1 1 3 1 1 0 0 0 MUT_NO_ROOM_CHECK
  ring mutation looks-before-pin           2 2 1 3 0 1 0 0 0 MUT_LOOKS_BEFORE_PIN
  ring mutation decide-sequence-first      2 1 1 3 1 1 0 0 0 MUT_DECIDE_SEQUENCE_FIRST
  ring mutation recovery-clears-sequence   2 2 1 3 1 1 1 0 0 MUT_RECOVERY_CLEARS_SEQUENCE
  ring mutation recovery-without-cas       2 2 1 3 0 1 1 0 0 MUT_RECOVERY_WITHOUT_CAS
  ring mutation entry-before-pins          2 1 1 3 0 1 2 1 1 MUT_ENTRY_BEFORE_PINS
  ring mutation stale-mask                 1 1 1 2 0 0 2 2 1 MUT_STALE_MASK
  ring mutation lock-stays                 2 1 1 2 0 1 2 2 0 MUT_LOCK_STAYS
  ring mutation lock-before-memory         2 2 1 3 0 1 1 0 0 MUT_LOCK_BEFORE_MEMORY
  ring mutation jumps-over-its-place       2 1 1 4 1 1 0 0 0 CATCH=1 MUT_JUMPS_OVER_ITS_PLACE
  ring mutation keeps-claim                2 2 1 3 1 1 0 0 0 BACK=1 MUT_KEEPS_CLAIM
  ring mutation zero-while-written         2 2 1 3 0 1 1 0 0 COUNT=1 MUT_ZERO_WHILE_WRITTEN
  ring mutation publishing-wakes-readers   1 2 1 2 0 1 0 0 0 LANES=1 MUT_PUBLISHING_WAKES_READERS
  ring mutation retreat-wakes-readers      1 2 1 2 0 1 0 0 0 LANES=1 MUT_RETREAT_WAKES_READERS
  ring mutation retreat-wakes-producers    1 2 1 2 0 1 0 0 0 LANES=1 MUT_RETREAT_WAKES_PRODUCERS
  ring mutation retreat-wakes-always       1 2 1 2 1 1 0 0 0 LANES=1 CYCLES MUT_RETREAT_WAKES_ALWAYS
  ring mutation skipping-wakes-none        1 2 1 2 0 1 0 0 0 LANES=1 MUT_SKIPPING_WAKES_NONE
  ring mutation unpinning-wakes-none       1 2 1 2 0 1 0 0 0 LANES=1 MUT_UNPINNING_WAKES_NONE
  ring mutation recovery-wakes-readers     1 2 1 2 0 0 1 0 0 LANES=1 MUT_RECOVERY_WAKES_READERS
  ring mutation letting-go-wakes-readers   1 2 1 2 0 0 0 0 0 LANES=1 BACK=1 MUT_LETTING_GO_WAKES_READERS

  ring mutation ends-apart                 2 1 1 2 1 0 0 0 0 END=1 MUT_ENDS_APART
  ring mutation skips-after-end            2 2 1 3 0 1 0 0 0 END=1 MUT_SKIPS_AFTER_END
  ring mutation ending-wakes-readers       1 2 1 2 1 0 0 0 0 END=1 LANES=1 MUT_ENDING_WAKES_READERS
  ring mutation ending-wakes-producers     1 2 1 2 1 0 0 0 0 END=1 LANES=1 MUT_ENDING_WAKES_PRODUCERS

  other quick room join           -DLAST=2
  other quick room two-producers  -DLAST=2 -DOLD=1 -DNPROD=2
  other quick room two-joiners    -DOLD=1 -DNJOIN=2
  other quick room two-slots      -DN=2 -DOLD=1
  other quick room clear          -DOLD=1 -DCLEAR
  other quick room leave          -DNJOIN=0
  other quick room crash          -DLAST=2 -DOLD=1 -DCRASH
  other quick room crash-leaving  -DNJOIN=0 -DCRASH
  other quick room burn           -DOLD=0 -DFREE=0 -DN=2 -DNPROD=2 -DLANES -DBURN
  other quick room lanes          -DOLD=1 -DN=2 -DLANES -DBURN
  other quick room lanes-clear    -DLAST=2 -DOLD=1 -DLANES -DCLEAR
  other quick room drop           -DLAST=3 -DOLD=1 -DLOSSY -DDROP
  other quick room drop-joiners   -DLAST=2 -DOLD=0 -DNJOIN=2 -DR=2 -DLOSSY -DDROP
  other quick room drop-producers -DOLD=0 -DNPROD=2 -DLOSSY -DDROP
  other quick room drop-two-slots -DN=2 -DOLD=1 -DLOSSY -DDROP
  other quick room drop-clear     -DLAST=2 -DOLD=1 -DLOSSY -DDROP -DCLEAR
  other quick room drop-crash     -DOLD=0 -DLOSSY -DDROP -DCRASH
  other quick room drop-burn      -DOLD=0 -DN=2 -DLOSSY -DDROP -DBURN
  other quick room lossy-wait     -DLAST=2 -DOLD=0 -DNJOIN=2 -DR=2 -DLOSSY
  other large room join-longer    -DLAST=3
  other large room two-producers-longer -DOLD=1 -DNPROD=2
  other large room clear-two      -DLAST=2 -DCLEAR
  other large room clear-producers -DNJOIN=0 -DNPROD=2 -DCLEAR
  other large room crash-clear    -DLAST=2 -DOLD=1 -DCRASH -DCLEAR
  other large room lanes-producers -DLAST=2 -DOLD=1 -DNPROD=2 -DLANES
  other large room lanes-clear-longer -DOLD=1 -DLANES -DCLEAR
  other large room drop-joiners-longer   -DOLD=0 -DNJOIN=2 -DR=2 -DLOSSY -DDROP
  other large room drop-producers-longer -DLAST=2 -DOLD=1 -DNPROD=2 -DLOSSY -DDROP
  other large room drop-crash-longer     -DLAST=2 -DOLD=1 -DLOSSY -DDROP -DCRASH
  other large room drop-burn-producers   -DOLD=0 -DN=2 -DNPROD=2 -DLOSSY -DDROP -DBURN
  other large room lossy-lanes           -DOLD=0 -DN=2 -DNPROD=2 -DLOSSY -DLANES -DBURN
  local mutation
  for mutation in CHECK_BEFORE_RAISE GATE_TAKES_TAIL IGNORE_JOINS JOINER_WITHOUT_JOINS COUNTS_JOIN_LATE JOIN_LOOKS_ONCE JOIN_IGNORES_TAIL \
    GATES_BEFORE_CURSOR STANDS_AT_ZERO; do
    other mutation room "$(name "$mutation")" -DLAST=2 -DOLD=1 "-DMUT_$mutation"
  done
  for mutation in LEAVE_WITHOUT_TAIL LEAVE_ASKS_FOR_OTHERS; do
    other mutation room "$(name "$mutation")" -DNJOIN=0 "-DMUT_$mutation"
  done
  for mutation in RAISES_AFTER_LOOK REMEMBERS_NO_READER; do
    other mutation room "$(name "$mutation")" -DOLD=0 -DNJOIN=2 -DR=2 -DLOSSY -DDROP "-DMUT_$mutation"
  done
  other mutation room gives-up-unmet         -DLAST=2 -DOLD=0 -DLOSSY -DDROP -DMUT_GIVES_UP_UNMET
  other mutation room stays-attached         -DLAST=2 -DOLD=0 -DLOSSY -DDROP -DMUT_STAYS_ATTACHED
  other mutation room waits-for-no-reader    -DLAST=2 -DOLD=0 -DLOSSY -DMUT_WAITS_FOR_NO_READER
  other mutation room reads-gating-once      -DOLD=0 -DNJOIN=2 -DR=2 -DLOSSY -DMUT_READS_GATING_ONCE
  other mutation room clear-sets-tail        -DOLD=1 -DCLEAR -DMUT_CLEAR_SETS_TAIL
  other mutation room passing-wakes-none     -DLAST=2 -DOLD=1 -DLANES -DMUT_PASSING_WAKES_NONE
  other mutation room leaving-wakes-none     -DLAST=2 -DOLD=1 -DLANES -DMUT_LEAVING_WAKES_NONE
  other mutation room joining-wakes-none     -DOLD=1 -DLANES -DMUT_JOINING_WAKES_NONE
  other mutation room clearing-wakes-none    -DOLD=1 -DNJOIN=0 -DLANES -DCLEAR -DMUT_CLEARING_WAKES_NONE
  other mutation room giving-back-wakes-none -DOLD=0 -DFREE=0 -DNJOIN=0 -DN=2 -DNPROD=2 -DLANES -DBURN -DMUT_GIVING_BACK_WAKES_NONE
  other mutation room passes-no-burned       -DOLD=1 -DN=2 -DLANES -DBURN -DMUT_PASSES_NO_BURNED

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
  for mutation in NO_TICK TICK_LEAVES_FLAG; do
    other mutation wake "$(name "$mutation")" -DCRASH -DCHANGES=1 "-DMUT_$mutation"
  done

  other quick gone peers
  other quick gone crash          -DCRASH
  other quick gone three          -DNP=3
  other large gone three-crash    -DNP=3 -DCRASH
  for mutation in FLAG_AFTER_CLAIM LOOKS_BEFORE_ASKING STICKY_FIRST FORGETS_THE_FIRST CLOSING_WAKES_NONE ENDED_IS_GONE; do
    other mutation gone "$(name "$mutation")" "-DMUT_$mutation"
  done
  other mutation gone flag-stays -DENTRIES=1 -DMUT_FLAG_STAYS

  other quick replace two
  other quick replace crash       -DNREP=1 -DCRASH
  other quick replace remove      -DNREP=1 -DREMOVE
  other quick replace names       -DNAMES -DCRASH -DREMOVE -DJOIN
  other quick replace ends        -DENDS -DCRASH
  other large replace remove-crash -DNREP=1 -DREMOVE -DCRASH
  for mutation in LOOKS_NOT_BEFORE LOOKS_NOT_AFTER READS_MARK_AFTER WAITS_FOR_WRITER CLOSES_FIRST REPLACING_WAKES_READERS REPLACING_WAKES_PRODUCERS; do
    other mutation replace "$(name "$mutation")" -DNREP=1 "-DMUT_$mutation"
  done
  for mutation in REPLACES_UNLOCKED REPLACES_UNLOOKED MARKS_BEFORE_RENAMING JOINS_UNLOOKED REPLACES_WITHOUT_WORD REMOVES_WITHOUT_WORD NONE_LOOKS; do
    other mutation replace "$(name "$mutation")" -DNAMES -DCRASH -DREMOVE -DJOIN "-DMUT_$mutation"
  done
  for mutation in READS_MARK_LAST KEEPS_NO_END; do
    other mutation replace "$(name "$mutation")" -DENDS -DNREP=1 "-DMUT_$mutation"
  done

  other quick group join
  other quick group three          -DM=3 -DN=1 -DLAST=1
  other quick group freeze         -DFORMED -DFREEZE
  other quick group dies           -DFORMED -DLAST=2 -DKILL=1
  other quick group dies-join      -DN=1 -DLAST=2 -DKILL=1
  other quick group slices         -DFORMED -DLAST=2 -DKILL=1 -DSLICES
  other quick group recoverer-dies -DFORMED -DN=1 -DLAST=1 -DKILL=1 -DRECOVERER_DIES
  other quick group clones         -DCLONES -DN=1 -DLAST=2 -DKILL=1
  other quick group clones-join    -DCLONES -DM=3 -DN=1 -DLAST=1
  other quick group behind         -DCLONES -DBEHIND -DN=2 -DLAST=2
  other quick group behind-dies    -DCLONES -DBEHIND -DN=1 -DLAST=1 -DKILL=1
  other quick group overwrite      -DFORMED -DOVERWRITE -DFREEZE
  other quick group overwrite-dies -DFORMED -DOVERWRITE -DN=1 -DLAST=2 -DKILL=1
  other large group dies-longer    -DFORMED -DKILL=1
  other large group two-die        -DFORMED -DN=1 -DLAST=2 -DKILL=2
  other large group two-die-join   -DN=1 -DLAST=1 -DKILL=2
  other large group recoverer-join -DN=1 -DLAST=1 -DKILL=1 -DRECOVERER_DIES
  other large group behind-three   -DCLONES -DBEHIND -DM=3 -DN=1 -DLAST=1
  other large group two-of-three   -DFORMED -DM=3 -DN=1 -DLAST=1 -DKILL=2 -DWHOLE_PASSES
  other mutation group takes-without-cas    -DFORMED -DMUT_TAKES_WITHOUT_CAS
  other mutation group stores-cursor        -DFORMED -DMUT_STORES_CURSOR
  other mutation group passes-only-done     -DFORMED -DFREEZE -DMUT_PASSES_ONLY_DONE
  other mutation group unpins-before-done   -DFORMED -DN=1 -DLAST=2 -DMUT_UNPINS_BEFORE_DONE
  for mutation in UNPINS_BEFORE_AGAIN AGAIN_BEFORE_GROUP_BIT KEEPS_GROUP_BIT COUNTS_NOTHING; do
    other mutation group "$(name "$mutation")" -DFORMED -DN=1 -DLAST=2 -DKILL=1 "-DMUT_$mutation"
  done
  other mutation group counts-what-it-changed -DFORMED -DN=1 -DLAST=1 -DKILL=1 -DRECOVERER_DIES -DMUT_COUNTS_WHAT_IT_CHANGED
  other mutation group dissolves-without-passing -DN=1 -DLAST=1 -DKILL=1 -DMUT_DISSOLVES_WITHOUT_PASSING
  other mutation group dissolves-formed     -DN=1 -DLAST=2 -DKILL=1 -DMUT_DISSOLVES_FORMED
  other mutation group frees-entry-first    -DN=1 -DLAST=1 -DKILL=2 -DMUT_FREES_ENTRY_FIRST
  other mutation group stores-done          -DCLONES -DBEHIND -DN=1 -DLAST=1 -DMUT_STORES_DONE
  other mutation group keeps-words          -DN=1 -DLAST=1 -DKILL=1 -DMUT_KEEPS_WORDS

  other quick last three
  other quick last dies            -DM=2 -DKILL
  other quick last dies-frames     -DM=2 -DF=3 -DKILL
  other large last dies-three      -DF=2 -DKILL
  for mutation in WAITS_FOR_ALL DONE_WAKES_NONE; do
    other mutation last "$(name "$mutation")" "-DMUT_$mutation"
  done
  for mutation in ENDS_AT_ONCE COUNTS_NO_AGAIN; do
    other mutation last "$(name "$mutation")" -DM=2 -DKILL "-DMUT_$mutation"
  done
}
name() { tr 'A-Z_' 'a-z-' <<<"$1"; }

search() { # directory, line of the list; leaves a file "failed" if the outcome is not the wanted one
  local set model name flags result states seconds why note= check=-DSAFETY run= level=-O2 TIMEFORMAT=%U
  read -r set model name flags <<<"$2"
  mkdir "$1/$model-$name" && cd "$1/$model-$name" || exit 1
  # For cycles: nothing counts as progress, so that every cycle is an error.
  case " $flags " in *' -DCYCLES '*) check=-DNP run=-l ;; esac
  [ "$set" = mutation ] && level=-O1 # compiling takes longer than searching
  # shellcheck disable=SC2086
  if ! spin -a $flags "$here/$model.pml" >made 2>&1 ||
    ! "$CC" "$level" -w "$check" -DNOFAIR -DCOLLAPSE -DMEMLIM=12000 -o pan pan.c >>made 2>&1; then
    cat made; : >>"$1/failed"
    printf '%-34s %-10s\n' "$model-$name" ERROR
    return
  fi
  { time ./pan -n -m400000 $run >out 2>&1; } 2>seconds
  seconds=$(tail -n 1 seconds)
  states=$(awk '/states, stored/ { print $1; exit }' out)
  why=$(grep -E '^pan:.*(assertion violated|invalid end state|non-progress cycle)' out | head -n 1)
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
