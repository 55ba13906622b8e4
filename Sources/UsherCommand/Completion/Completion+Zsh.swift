extension Completion {
    var zsh: String {
        func quoted(_ text: String) -> String { "'" + text.replacing("'", with: "'\\''") + "'" }
        func described(_ name: String, _ meaning: String) -> String {
            quoted(meaning.isEmpty ? name : "\(name):\(meaning)")
        }
        var values = ""
        var others: [String] = []
        for flag in Self.flagsWithValues {
            if case .one(let names) = flag.value {
                values += "        \(flag.name))\n            found=(\(names.joined(separator: " ")))\n"
                values += "            _describe value found\n            return ;;\n"
            } else {
                others.append(flag.name)
            }
        }
        let commands = Self.commands.map { described($0.rawValue, $0.meaning) }
        let options = Self.commands.map { command in
            let words = command.words.map(quoted) + Self.flags(of: command).map { described($0.name, $0.meaning) }
            return "        \(command.rawValue)) found=(\n"
                + words.map { "            \($0)\n" }.joined() + "        ) ;;\n"
        }
        return """
            #compdef usher
            # Completes command lines of usher in zsh: a file _usher in a folder of $fpath, or source <(usher completion zsh)
            _usher() {
                local -a found
                if (( CURRENT == 2 )); then
                    found=(
            \(commands.map { "            \($0)\n" }.joined())        )
                    _describe command found
                    return
                fi
                case $words[CURRENT-1] in
            \(values)        \(others.joined(separator: "|"))) _files; return ;;
                esac
                case $words[2] in
            \(options.joined())    esac
                _describe -o option found || _files
            }
            if [[ $funcstack[1] == _usher ]]; then
                _usher "$@"
            else
                compdef _usher usher
            fi

            """
    }
}
