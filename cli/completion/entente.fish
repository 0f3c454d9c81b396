# Completion of entente for fish: put this file into ~/.config/fish/completions.
# The program itself says what may come next.
function __entente_next
    set -l words (commandline -opc) (commandline -ct)
    $words[1] complete -- $words[2..-1] 2>/dev/null
end
complete -c entente -a '(__entente_next)'
