import Redis

/// The scripts of `lua/`, embedded at build time: their texts here, and a call for each in `Calls`.
public enum Scripts {
    /// What Redis gets. A line `-- flags: <flags>` of the header becomes the first one, as Redis has it from 7.0 on:
    /// `allow-oom` lets a script write although Redis is full.
    static func load(_ name: String, _ bytes: [UInt8]) -> Script {
        let text = String(decoding: bytes, as: UTF8.self)
        let directive = "-- flags: "
        let flags = text.split(separator: "\n").first { $0.hasPrefix(directive) }?.dropFirst(directive.count)
        return Script(name: name, text: (flags.map { "#!lua flags=\($0)\n" } ?? "") + expand(text, in: name))
    }

    /// Puts the text of `includes/<name>.lua` in place of each line `-- include: <name>`, and drops the other lines
    /// that are comments alone: Redis keeps and hashes every byte of a script.
    private static func expand(_ text: String, in script: String) -> String {
        let directive = "-- include: "
        let lines = text.split(separator: "\n").compactMap { line -> String? in
            if line.hasPrefix(directive) {
                let name = String(line.dropFirst(directive.count))
                guard let include = includes[name] else { preconditionFailure("\(script).lua includes \(name)") }
                return expand(String(decoding: include, as: UTF8.self), in: name)
            }
            return line.hasPrefix("--") ? nil : String(line)
        }
        return lines.joined(separator: "\n")
    }
}
