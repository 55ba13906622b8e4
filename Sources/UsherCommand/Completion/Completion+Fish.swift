extension Completion {
    var fish: String {
        func quoted(_ text: String) -> String {
            "'" + text.replacing("\\", with: "\\\\").replacing("'", with: "\\'") + "'"
        }
        var lines = [
            "# Completes command lines of usher in fish: usher completion fish | source", "complete -c usher -f",
        ]
        for command in Self.commands {
            lines.append(
                "complete -c usher -n __fish_use_subcommand -a \(command.rawValue) -d \(quoted(command.meaning))")
            let there = "complete -c usher -n '__fish_seen_subcommand_from \(command.rawValue)'"
            if !command.words.isEmpty { lines.append("\(there) -a \(quoted(command.words.joined(separator: " ")))") }
            if command == .importing { lines.append("\(there) -F") }
            for flag in Self.flags(of: command) {
                let value =
                    switch flag.value {
                    case .none: ""
                    case .one(let names): " -x -a \(quoted(names.joined(separator: " ")))"
                    case .file: " -r -F"
                    case .other: " -x"
                    }
                let meaning = flag.meaning.isEmpty ? "" : " -d \(quoted(flag.meaning))"
                lines.append("\(there) -l \(flag.name.dropFirst(2))\(value)\(meaning)")
            }
        }
        return lines.joined(separator: "\n") + "\n"
    }
}
