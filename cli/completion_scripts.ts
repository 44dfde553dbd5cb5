/**
 * What shells run at a press of Tab: scripts that run `frames-depot complete -- WORDS`. That prints lines of a value, a
 * tab and a description, and a last line that begins with a colon. Where it offers nothing, the shell completes file
 * names. The scripts need nothing else installed, and may be sourced twice.
 *
 * @module
 */

/** Only offers that begin with the word: bash shows every offer that it gets. */
const BASH = `# bash completion of frames-depot
_frames_depot() {
  local word=\${COMP_WORDS[COMP_CWORD]} line offer
  COMPREPLY=()
  while IFS= read -r line; do
    offer=\${line%%$'\\t'*}
    [[ $line != :* && $offer == "$word"* ]] && COMPREPLY+=("$offer")
  done < <(frames-depot complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -o default -F _frames_depot frames-depot
`;

/** zsh separates value and description by a colon. In `fpath` the first line registers the script, sourced the last. */
const ZSH = `#compdef frames-depot
_frames_depot() {
  local line
  local -a offers
  for line in "\${(@f)$(frames-depot complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}"; do
    [[ -z $line || $line == :* ]] && continue
    offers+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}")
  done
  (( $#offers )) && _describe frames-depot offers || _files
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
  _frames_depot "$@"
else
  compdef _frames_depot frames-depot
fi
`;

const FISH = `# fish completion of frames-depot
function __frames_depot_offers
    set -l words (commandline -opc)
    set -e words[1]
    set -l word (commandline -ct)
    set -l offers (frames-depot complete -- $words "$word" 2>/dev/null | string match -v -r '^:')
    if test (count $offers) -gt 0
        printf '%s\\n' $offers
    else
        __fish_complete_path "$word"
    end
end
complete -c frames-depot -e
complete -c frames-depot -f -a '(__frames_depot_offers)'
`;

/** The scripts by shell. */
export const COMPLETION_SCRIPTS: Record<string, string> = { bash: BASH, zsh: ZSH, fish: FISH };
