/// A command with its arguments, as the bytes that Redis reads: an array of bulk strings (Redis protocol specification).
public struct Command: Sendable {
    private(set) var bytes: [UInt8]
    /// Whether replies stop being one for each command after this one, for which hiredis has lists of its own.
    private(set) var changesProtocol = false

    /// `Command("SET", key, token, "NX", "PX", "5000")`. One word an argument; the first is the command's name.
    public init(_ words: String...) {
        self.init(words: words)
    }

    /// Stops the program if there are no words: a command has a name.
    public init(words: some Collection<String>) {
        self.init(name: words.first!, argumentCount: words.count - 1)
        for word in words.dropFirst() { append(word) }
    }

    /// - Parameter argumentCount: how many arguments are going to be appended. Redis wants to know it first.
    init(name: String, argumentCount: Int) {
        bytes = []
        bytes.reserveCapacity(64 * (argumentCount + 1))
        appendLine(UInt8(ascii: "*"), argumentCount + 1)
        append(name)
        // hiredis looks for an argument after the name, and so at the byte after a command that has none.
        bytes.reserveCapacity(bytes.count + 1)
        changesProtocol = Self.changesProtocol(name)
    }

    mutating func append(_ argument: String) {
        let text = argument.utf8
        appendLine(UInt8(ascii: "$"), text.count)
        bytes.append(contentsOf: text)
        appendLineEnd()
    }

    private mutating func appendLine(_ type: UInt8, _ number: Int) {
        bytes.append(type)
        appendDigits(of: number)
        appendLineEnd()
    }

    /// Text of an integer would be made and thrown away for each argument.
    private mutating func appendDigits(of number: Int) {
        if number > 9 { appendDigits(of: number / 10) }
        bytes.append(UInt8(ascii: "0") + UInt8(number % 10))
    }

    private mutating func appendLineEnd() {
        bytes.append(UInt8(ascii: "\r"))
        bytes.append(UInt8(ascii: "\n"))
    }

    private static func changesProtocol(_ name: String) -> Bool {
        // Their last letters, in either case, spare all other commands the making of a lower-case name.
        guard let last = name.utf8.last, last | 0x20 == UInt8(ascii: "e") || last | 0x20 == UInt8(ascii: "r") else {
            return false
        }
        let name = name.lowercased()
        return name == "monitor" || name.hasSuffix("subscribe")
    }
}

/// A Lua script that Redis runs. Redis knows it by the SHA-1 of its text.
public struct Script: Sendable {
    /// The file's name without its ending, for logs.
    public let name: String
    public let text: String

    public init(name: String, text: String) {
        self.name = name
        self.text = text
    }
}
