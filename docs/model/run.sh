#!/usr/bin/env bash
# Runs the SPIN models: the complete searches that fit in a few minutes, then the mutations, each of which must be found.
#   run.sh               what CI runs
#   run.sh --all         the larger searches as well
#   run.sh --mutations   the mutations alone
# Exit 1: a search finds an error or is not complete, or a mutation is not found. Exit 2: spin or a C compiler is missing.
set -u
here=$(cd "$(dirname "$0")" && pwd)
for tool in spin cc; do
  command -v "$tool" >/dev/null || { echo "$tool is missing: it comes from the distribution's packages"; exit 2; }
done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

# search NAME EXPECTED MODEL DEFINES...: one search in a folder of its own; EXPECTED is ok or found.
search() {
  local name=$1 expected=$2 model=$3 folder result states begun
  shift 3
  folder="$work/$name"
  mkdir -p "$folder"
  begun=$SECONDS
  if ! (cd "$folder" && spin "$@" -a "$here/$model" >spin.log 2>&1 && cc -O2 -w -DSAFETY -DCOLLAPSE -DNOFAIR -o pan pan.c); then
    echo "$name: does not build"; sed 's/^/  /' "$folder/spin.log" | head -5; failed=1; return
  fi
  (cd "$folder" && ./pan -m2000000 >pan.log 2>&1)
  states=$(sed -n 's/^ *\([0-9.e+]*\) states, stored.*/\1/p' "$folder/pan.log")
  if grep -q 'errors: [1-9]' "$folder/pan.log"; then result=found
  elif grep -Eq 'max search depth too small|out of memory|not completed' "$folder/pan.log"; then result=incomplete
  elif grep -q 'errors: 0' "$folder/pan.log"; then result=ok
  else result=incomplete; fi
  printf '%-44s %-10s %12s states %4d s\n' "$name" "$result" "${states:-?}" $((SECONDS - begun))
  if [ "$result" != "$expected" ]; then
    echo "  expected: $expected"; grep -m3 -E 'assert|invalid end|error' "$folder/pan.log" | sed 's/^/  /'; failed=1
  fi
  rm -rf "$folder"
}
# ring NAME EXPECTED N NP NR LAST WAIT KEEP KILL NREC LATE [MORE...]
ring() {
  local name=$1 expected=$2 i=3 key defines=()
  for key in N NP NR LAST WAIT KEEP KILL NREC LATE; do defines+=("-D$key=${!i}"); i=$((i + 1)); done
  search "$name" "$expected" ring.pml "${defines[@]}" "${@:$i}"
}
wake() { local name=$1 expected=$2; shift 2; search "$name" "$expected" wake.pml "$@"; }
room() { local name=$1 expected=$2; shift 2; search "$name" "$expected" room.pml "$@"; }

if [ "${1:-}" != --mutations ]; then
  #                                   N NP NR LAST WAIT KEEP KILL NREC LATE
  ring overwrite-1-producer      ok   2 1 1 3 0 1 0 0 0
  ring overwrite-2-producers     ok   2 2 1 3 0 0 0 0 0
  ring overwrite-2-leases        ok   1 2 1 2 0 1 0 0 0
  ring overwrite-2-readers       ok   1 1 2 2 0 1 0 0 0
  ring wait-1-producer           ok   2 1 1 3 1 1 0 0 0
  ring wait-2-producers          ok   2 2 1 3 1 0 0 0 0
  ring producer-dies-overwrite   ok   2 2 1 3 0 0 1 0 0
  ring producer-dies-wait        ok   1 2 1 2 1 1 1 0 0
  ring either-dies-overwrite     ok   1 2 1 2 0 0 3 1 0
  ring either-dies-wait          ok   1 1 1 2 1 0 3 1 0
  ring recoverer-dies-too        ok   1 1 1 2 1 0 3 2 0
  ring late-reader-takes-the-bit ok   1 1 1 2 0 0 2 1 1
  room one-joins                 ok   -DOLD=1 -DLAST=3
  room one-joins-2-slots         ok   -DOLD=1 -DLAST=4 -DN=2
  room one-joins-first-entry     ok   -DOLD=1 -DLAST=2 -DFREE=0
  room one-joins-2-producers     ok   -DOLD=1 -DLAST=2 -DNPROD=2
  room two-join                  ok   -DOLD=1 -DLAST=2 -DNJOIN=2
  room two-leave-at-once         ok   -DOLD=2 -DNJOIN=0 -DLAST=2
  room clear-queue               ok   -DOLD=1 -DLAST=2 -DCLEAR
  room recoverer-dies-too        ok   -DOLD=1 -DLAST=2 -DCRASH
  wake two-sleepers-two-wakers   ok
  wake condition-turns-back      ok   -DTAKE
  wake waker-dies                ok   -DCRASH -DCHANGES=1
fi
if [ "${1:-}" = --all ]; then
  room two-leave-one-joins       ok   -DOLD=2 -DLAST=2
  wake waker-dies-and-turns-back ok   -DCRASH -DTAKE
  ring overwrite-large           ok   2 2 1 4 0 1 0 0 0
  ring wait-large                ok   2 2 1 4 1 1 0 0 0
  ring either-dies-2-slots       ok   2 2 1 3 0 0 3 1 0
  ring recoverers-2-producers    ok   1 2 1 2 1 0 3 2 0
fi

echo "mutations: each is one line, and must be found"
ring no-pin-check                found 2 1 1 3 0 1 0 0 0 -DMUT_NO_PIN_CHECK
ring claimed-after-head          found 2 1 1 3 0 1 0 0 0 -DMUT_CLAIMED_AFTER_HEAD
ring sequence-stays              found 2 1 1 3 0 1 0 0 0 -DMUT_SEQUENCE_STAYS
ring leaves-before-publishing    found 2 1 1 3 0 1 0 0 0 -DMUT_LEAVES_BEFORE_PUBLISHING
ring looks-before-pin            found 2 1 1 3 0 1 0 0 0 -DMUT_LOOKS_BEFORE_PIN
ring decides-by-sequence-first   found 1 2 1 2 1 0 1 0 0 -DMUT_DECIDE_SEQUENCE_FIRST
ring recovery-clears-sequence    found 1 2 1 2 1 0 1 0 0 -DMUT_RECOVERY_CLEARS_SEQUENCE
ring recovery-without-cas        found 1 2 1 2 0 0 1 0 0 -DMUT_RECOVERY_WITHOUT_CAS
ring no-room-check               found 1 2 1 2 1 0 1 0 0 -DMUT_NO_ROOM_CHECK
ring lock-stays                  found 1 1 1 2 1 0 3 2 0 -DMUT_LOCK_STAYS
ring entry-before-pins           found 1 1 1 2 1 0 3 2 0 -DMUT_ENTRY_BEFORE_PINS
room check-before-raise          found -DOLD=1 -DLAST=2 -DMUT_CHECK_BEFORE_RAISE
room gate-takes-tail             found -DOLD=1 -DLAST=2 -DMUT_GATE_TAKES_TAIL
room joiner-without-joins        found -DOLD=1 -DLAST=2 -DMUT_JOINER_WITHOUT_JOINS
room chooses-before-gating       found -DOLD=1 -DLAST=2 -DMUT_CHOOSES_BEFORE_GATING
room join-ignores-tail           found -DOLD=1 -DLAST=2 -DMUT_JOIN_IGNORES_TAIL
room clear-sets-tail             found -DOLD=1 -DLAST=2 -DCLEAR -DMUT_CLEAR_SETS_TAIL
room leave-without-tail          found -DOLD=2 -DNJOIN=0 -DLAST=2 -DMUT_LEAVE_WITHOUT_TAIL
room leave-asks-for-others       found -DOLD=2 -DNJOIN=0 -DLAST=2 -DMUT_LEAVE_ASKS_FOR_OTHERS
wake flag-before-word            found -DMUT_FLAG_BEFORE_WORD
wake flag-after-wake             found -DMUT_FLAG_AFTER_WAKE
wake no-second-look              found -DMUT_NO_SECOND_LOOK
wake flag-before-change          found -DMUT_FLAG_BEFORE_CHANGE
wake no-time-out                 found -DCRASH -DCHANGES=1 -DMUT_NO_TIMEOUT

[ "$failed" -eq 0 ] && echo "models: every search as expected"
exit "$failed"
