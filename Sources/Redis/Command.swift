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

    /// - Parameter rest: of the command's bytes, after the next argument.
    fileprivate func followed(by argument: String, _ rest: [UInt8]) -> Command {
        var command = self
        // With room for the argument's length, and its line ends.
        command.bytes.reserveCapacity(bytes.count + argument.utf8.count + rest.count + 24)
        command.append(argument)
        command.bytes += rest
        return command
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

/// One command for many keys, such as the same fields of many hashes: all but the key is put together once.
public struct CommandForKeys: Sendable {
    private let head: Command
    private let tail: [UInt8]

    /// - Parameter arguments: what follows the key.
    public init(_ name: String, arguments: [String]) {
        head = Command(name: name, argumentCount: 1 + arguments.count)
        var whole = head
        for argument in arguments { whole.append(argument) }
        tail = Array(whole.bytes[head.bytes.count...])
    }

    public func command(_ key: String) -> Command {
        head.followed(by: key, tail)
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
