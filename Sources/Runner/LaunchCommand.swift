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

    /// Whether there is such a program for this process to run.
    public func isExecutable(searchPath: String) -> Bool {
        guard let path = try? executablePath(words[0], searchPath: searchPath) else { return false }
        return access(path, X_OK) == 0
    }

    /// The words with `{name}` replaced by the value of `name`. Other braces stay as they are.
    func words(replacing values: KeyValuePairs<String, String>) -> [String] {
        words.map { word in
            guard word.utf8.contains(UInt8(ascii: "{")) else { return word }
            return values.reduce(word) { $0.replacing("{\($1.key)}", with: $1.value) }
        }
    }
}
