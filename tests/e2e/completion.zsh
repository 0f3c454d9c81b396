# completion.zsh SCRIPTS PROGRAMS WORDS REST - an interactive zsh, the words and
# Tab: it writes the rest of the word.
zmodload zsh/zpty
zpty shell zsh -f -i
zpty -w shell "PS1=; fpath=($1 \$fpath); path=($2 \$path)
autoload -U compinit; compinit -u -D; print rea''dy"
zpty -r -m shell line '*ready*'
zpty -n -w shell "$3"$'\t'
integer tries=0
seen=
while (( tries++ < 100 )) && [[ $seen != *${3##* }*$4* ]]; do
    if zpty -r -t shell line; then seen+=$line; else sleep 0.05; fi
done
zpty -d shell
[[ $seen == *${3##* }*$4* ]]
