/// A command with its arguments, laid out in one run of bytes, ready to be handed to hiredis without a copy each.
public struct Command: Sendable {
    private(set) var bytes: [UInt8]
    /// Where each argument ends in `bytes`.
    private(set) var ends: [Int]

    /// `Command("SET", key, token, "NX", "PX", "5000")`. One word an argument; the first is the command's name.
    public init(_ words: String...) {
        self.init(words: words)
    }

    public init(words: some Sequence<String>) {
        bytes = []
        ends = []
        bytes.reserveCapacity(256)
        ends.reserveCapacity(16)
        for word in words { append(word) }
    }

    public mutating func append(_ argument: String) {
        bytes.append(contentsOf: argument.utf8)
        ends.append(bytes.count)
    }

    public mutating func append(_ argument: Int) {
        append(String(argument))
    }

    /// Whether replies stop being one for each command after this one, for which hiredis has lists of its own.
    var changesProtocol: Bool {
        guard let end = ends.first, (7...12).contains(end) else { return false }
        let name = String(decoding: bytes[..<end], as: UTF8.self).lowercased()
        return name == "monitor" || name.hasSuffix("subscribe")
    }

    /// Calls `body` with the arguments as C wants them. They are valid during the call only.
    func withArguments<Result>(
        _ body: (Int32, UnsafeMutablePointer<UnsafePointer<CChar>?>, UnsafePointer<Int>) -> Result
    ) -> Result {
        precondition(!ends.isEmpty, "a command has a name")
        return bytes.withUnsafeBytes { bytes in
            withUnsafeTemporaryAllocation(of: UnsafePointer<CChar>?.self, capacity: ends.count) { pointers in
                withUnsafeTemporaryAllocation(of: Int.self, capacity: ends.count) { lengths in
                    var start = 0
                    // An empty argument needs an address too, even if the whole command has no bytes.
                    let base = bytes.baseAddress ?? UnsafeRawPointer(pointers.baseAddress!)
                    for (index, end) in ends.enumerated() {
                        let address = (base + start).assumingMemoryBound(to: CChar.self)
                        pointers.initializeElement(at: index, to: address)
                        lengths.initializeElement(at: index, to: end - start)
                        start = end
                    }
                    return body(Int32(ends.count), pointers.baseAddress!, UnsafePointer(lengths.baseAddress!))
                }
            }
        }
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
