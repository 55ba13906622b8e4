extension Completion {
    /// What has no choice is left to the shell, which completes names of files.
    var bash: String {
        var choices = ""
        var others: [String] = []
        for flag in Self.flagsWithValues {
            if case .one(let names) = flag.value {
                choices += "        \(flag.name)) words=\"\(names.joined(separator: " "))\" ;;\n"
            } else {
                others.append(flag.name)
            }
        }
        let commands = Self.commands.map { command in
            let words = command.words + Self.flags(of: command).map(\.name)
            return "                \(command.rawValue)) words=\"\(words.joined(separator: " "))\" ;;\n"
        }
        return """
            # Completes command lines of usher in bash: source <(usher completion bash)
            _usher() {
                local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} words=""
                # `--flag=value` is three words here.
                [[ $word == "=" ]] && word=""
                [[ $before == "=" ]] && before=${COMP_WORDS[COMP_CWORD - 2]}
                COMPREPLY=()
                case $before in
            \(choices)        \(others.joined(separator: "|"))) return ;;
                    *)
                        if ((COMP_CWORD == 1)); then
                            words="\(Self.commands.map(\.rawValue).joined(separator: " ")) --version --help"
                        else
                            case ${COMP_WORDS[1]} in
            \(commands.joined())                esac
                        fi
                        ;;
                esac
                mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
            }
            complete -o default -F _usher usher

            """
    }
}
