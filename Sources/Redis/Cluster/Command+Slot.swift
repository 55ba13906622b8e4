extension Command {
    /// The slot of the command's first key, which is that of all its keys; nil if it has none, so that any node will do.
    var slot: Int? {
        var words = Words(bytes)
        guard let name = words.next() else { return nil }
        // Short enough to need no memory of its own. Usher writes the names in capitals.
        switch String(decoding: name, as: UTF8.self) {
        case "PING", "TIME", "PUBLISH", "PUBSUB", "INFO", "ROLE", "CONFIG", "ACL", "CLIENT", "CLUSTER", "SCRIPT",
            "WAIT":
            return nil
        case "EVAL", "EVALSHA":
            _ = words.next()
            guard let count = words.next(), !count.elementsEqual("0".utf8) else { return nil }
        case "XGROUP", "XINFO":
            _ = words.next()
        case "XREADGROUP", "XREAD":
            while let word = words.next(), !word.elementsEqual("STREAMS".utf8) {}
        default: break
        }
        return words.next().map { key in key.withUnsafeBytes { HashSlot.of($0) } }
    }

    /// The words of a command, one after the other.
    private struct Words {
        private let bytes: [UInt8]
        private var position = 0

        init(_ bytes: [UInt8]) {
            self.bytes = bytes
            _ = readNumber()
        }

        mutating func next() -> ArraySlice<UInt8>? {
            guard position < bytes.count else { return nil }
            let length = readNumber()
            defer { position += length + 2 }
            return bytes[position..<(position + length)]
        }

        /// Of a line such as `$5\r\n`, and goes beyond it.
        private mutating func readNumber() -> Int {
            var number = 0
            position += 1
            while bytes[position] != UInt8(ascii: "\r") {
                number = 10 * number + Int(bytes[position] - UInt8(ascii: "0"))
                position += 1
            }
            position += 2
            return number
        }
    }
}
