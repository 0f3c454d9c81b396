# Completion of entente for bash: source this file, or install it.
# The program itself says what may come next.
_entente() {
    local line=${COMP_LINE:0:COMP_POINT} words candidate
    read -ra words <<<"$line"
    [[ $line == *" " ]] && words+=("")
    local current=${words[-1]} cut=
    # Bash takes what stands behind a "=" for a word of its own.
    [[ $COMP_WORDBREAKS == *=* && $current == *=* ]] && cut=${current%=*}=
    COMPREPLY=()
    while IFS=$'\t' read -r candidate _; do
        COMPREPLY+=("${candidate#"$cut"}")
    done < <("${words[0]}" complete -- "${words[@]:1}" 2>/dev/null)
    [[ ${#COMPREPLY[@]} == 1 && ${COMPREPLY[0]} == *= ]] && compopt -o nospace 2>/dev/null
    return 0
}
complete -o default -F _entente entente
