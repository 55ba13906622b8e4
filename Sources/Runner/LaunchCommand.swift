import EventLoop
import Glibc

/// A command line, split into words as a shell would, but without anything else that a shell does: no variables, no
/// globs, no redirections. Single quotes keep everything, double quotes keep everything but `\\` and `\"`, and a
/// backslash outside quotes keeps the next character.
public struct LaunchCommand: Equatable, Sendable {
    /// The program, then its arguments. Never empty.
    public let words: [String]

    /// What is wrong with a command line, as the end of a sentence.
    public struct Invalid: Error, Equatable, CustomStringConvertible {
        public let description: String
    }

    static let maximumBytes = 16_384

    /// - Throws: `Invalid` if a quote is left open or there is no program.
    public init(_ text: String) throws(Invalid) {
        guard text.utf8.count <= Self.maximumBytes else {
            throw Invalid(description: "is longer than \(Self.maximumBytes) bytes")
        }
        guard !text.utf8.contains(0) else { throw Invalid(description: "holds a NUL character") }
        var words: [String] = []
        var word: String?
        var quote: Character?
        var rest = text[...]
        while let character = rest.popFirst() {
            if let open = quote {
                if character == open {
                    quote = nil
                } else if open == "\"", character == "\\", let next = rest.first, next == "\"" || next == "\\" {
                    word?.append(rest.removeFirst())
                } else {
                    word?.append(character)
                }
            } else if character == "'" || character == "\"" {
                quote = character
                word = word ?? ""
            } else if character == "\\" {
                guard let next = rest.popFirst() else { throw Invalid(description: "ends with a backslash") }
                word = (word ?? "") + String(next)
            } else if character.isWhitespace {
                if let finished = word { words.append(finished) }
                word = nil
            } else {
                word = (word ?? "") + String(character)
            }
        }
        guard quote == nil else { throw Invalid(description: "has a quote that is not closed") }
        if let finished = word { words.append(finished) }
        guard let program = words.first, !program.isEmpty else { throw Invalid(description: "names no program") }
        self.words = words
    }

    /// What keeps this process from running the program, as the end of a sentence that begins with it; nil if nothing
    /// does, or if its name depends on the bot.
    public func obstacle(searchPath: String) -> String? {
        let program = words[0]
        if program.utf8.contains(UInt8(ascii: "{")) { return nil }
        guard let path = try? executablePath(program, searchPath: searchPath) else { return "is in no folder of PATH" }
        var status = stat()
        guard stat(path, &status) == 0, access(path, X_OK) == 0 else {
            return "cannot be run: \(SystemError("run").reason)"
        }
        return status.st_mode & S_IFMT == S_IFREG ? nil : "cannot be run: it is no file"
    }

    /// The words with `{name}` replaced by the value of `name`. Other braces stay as they are.
    func words(replacing values: KeyValuePairs<String, String>) -> [String] {
        words.map { word in
            guard word.utf8.contains(UInt8(ascii: "{")) else { return word }
            return values.reduce(word) { $0.replacing("{\($1.key)}", with: $1.value) }
        }
    }
}
