/// A command with its arguments, as the bytes that Redis reads: an array of bulk strings (Redis protocol specification).
public struct Command: Sendable {
    private(set) var bytes: [UInt8]
    /// Whether replies stop being one for each command after this one.
    private(set) var changesProtocol = false

    /// `Command("SET", key, token, "NX", "PX", "5000")`. One word an argument; the first is the command's name.
    public init(_ words: String...) {
        self.init(words, [], [])
    }

    /// Stops the program if there are no words: a command has a name.
    public init(words: some Collection<String>) {
        self.init(Array(words), [], [])
    }

    /// One command of three lists of words, one after the other.
    init(_ first: [String], _ second: [String], _ third: [String]) {
        let count = first.count + second.count + third.count
        var size = RequestWriter.bytes(ofArrayOf: count)
        for word in first { size += RequestWriter.bytes(of: word) }
        for word in second { size += RequestWriter.bytes(of: word) }
        for word in third { size += RequestWriter.bytes(of: word) }
        bytes = RequestWriter.write(size) { writer in
            writer.array(of: count)
            for word in first { writer.append(word) }
            for word in second { writer.append(word) }
            for word in third { writer.append(word) }
        }
        changesProtocol = Self.changesProtocol(first[0])
    }

    fileprivate init(bytes: [UInt8], changesProtocol: Bool) {
        self.bytes = bytes
        self.changesProtocol = changesProtocol
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
    private let head: [UInt8]
    private let tail: [UInt8]
    private let changesProtocol: Bool

    /// - Parameter arguments: what follows the key.
    public init(_ name: String, arguments: [String]) {
        let whole = Command([name], [""], arguments)
        let count = 2 + arguments.count
        let headCount = RequestWriter.bytes(ofArrayOf: count) + RequestWriter.bytes(of: name)
        head = Array(whole.bytes[..<headCount])
        tail = Array(whole.bytes[(headCount + RequestWriter.bytes(of: ""))...])
        changesProtocol = whole.changesProtocol
    }

    public func command(_ key: String) -> Command {
        let bytes = RequestWriter.write(head.count + RequestWriter.bytes(of: key) + tail.count) { writer in
            writer.append(head)
            writer.append(key)
            writer.append(tail)
        }
        return Command(bytes: bytes, changesProtocol: changesProtocol)
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

    /// The same without its flags, a first line such as `#!lua flags=allow-oom`, for a Redis before 7.0, to which that line
    /// is an error; nil if it has none.
    public var withoutFlags: String? {
        guard text.hasPrefix("#!"), let end = text.firstIndex(of: "\n") else { return nil }
        return String(text[text.index(after: end)...])
    }

    /// Whether Redis says that it cannot compile a script.
    public static func isCompileError(_ text: String) -> Bool { text.hasPrefix("ERR Error compiling script") }
}
