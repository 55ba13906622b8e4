import Texts

/// Reads a JSON text (RFC 8259) onto a tape, in one pass over its bytes, and refuses whatever is not exactly that.
struct Scanner {
    let input: UnsafeBufferPointer<UInt8>
    let limits: JSONLimits
    var position = 0
    var tape: Tape
    /// The lists and objects that have not ended, outermost first.
    private var open: [Level] = []
    private var valueCount = 0
    /// Of the text that is being read.
    var marks = MarkRun()

    /// A list or object that has not ended.
    private struct Level {
        /// Its node.
        let container: Int
        let isObject: Bool
        /// How many members or elements have begun.
        var count: UInt32 = 0
        /// The node of the name that was read last.
        var name = 0

        var end: UInt8 { isObject ? UInt8(ascii: "}") : UInt8(ascii: "]") }
    }

    static func scan(_ bytes: [UInt8], limits: JSONLimits) throws(JSONError) -> Tape {
        // Places in the text are held in 32 bits.
        let maximum = min(limits.bytes, Int(Int32.max))
        guard bytes.count <= maximum else { throw .limit("\(maximum) bytes", at: maximum) }
        var tape = Tape(input: bytes)
        var failure: JSONError?
        bytes.withUnsafeBufferPointer { input in
            var scanner = Scanner(input: input, limits: limits, tape: tape)
            do throws(JSONError) {
                try scanner.scan()
            } catch {
                failure = error
            }
            tape = scanner.tape
        }
        if let failure { throw failure }
        return tape
    }

    private init(input: UnsafeBufferPointer<UInt8>, limits: JSONLimits, tape: consuming Tape) {
        self.input = input
        self.limits = limits
        self.tape = tape
    }

    var byte: UInt8? { position < input.count ? input[position] : nil }

    func syntax(_ what: String) -> JSONError {
        position < input.count ? .syntax(what, at: position) : .syntax("an unexpected end", at: position)
    }

    private mutating func scan() throws(JSONError) {
        if input.starts(with: [0xef, 0xbb, 0xbf]) { throw syntax("a byte order mark") }
        skipBlanks()
        try scanValue()
        while !open.isEmpty { try scanNext() }
        skipBlanks()
        guard position == input.count else { throw syntax("something after the end") }
    }

    /// The next element or member of the innermost list or object, or its end.
    private mutating func scanNext() throws(JSONError) {
        let level = open[open.count - 1]
        skipBlanks()
        if byte == level.end {
            position += 1
            end(level)
            return
        }
        if level.count > 0 {
            guard byte == UInt8(ascii: ",") else {
                throw syntax("neither a comma nor \(Character(Unicode.Scalar(level.end))) after a value")
            }
            position += 1
            skipBlanks()
            if byte == level.end { throw syntax("a comma before \(Character(Unicode.Scalar(level.end)))") }
        }
        open[open.count - 1].count += 1
        if level.isObject { try scanName(of: level.container) }
        try scanValue()
    }

    private mutating func end(_ level: Level) {
        var node = tape.nodes[level.container]
        node.length = UInt32(position) - node.start
        node.count = level.count
        node.link = UInt32(tape.nodes.count)
        tape.nodes[level.container] = node
        open.removeLast()
    }

    private mutating func scanName(of object: Int) throws(JSONError) {
        guard byte == UInt8(ascii: "\"") else { throw syntax("no name in quotes") }
        let start = position
        position += 1
        open[open.count - 1].name = tape.nodes.count
        try scanText(.name, link: UInt32(object))
        guard tape.enter(name: tape.nodes.count - 1) else { throw .doubled(path, at: start) }
        skipBlanks()
        guard byte == UInt8(ascii: ":") else { throw syntax("no colon after a name") }
        position += 1
        skipBlanks()
    }

    private mutating func scanValue() throws(JSONError) {
        guard valueCount < limits.values else { throw .limit("\(limits.values) values", at: position) }
        valueCount += 1
        switch byte {
        case UInt8(ascii: "\""):
            position += 1
            try scanText(.text)
        case UInt8(ascii: "{"): try begin(.object)
        case UInt8(ascii: "["): try begin(.list)
        case let byte? where byte == UInt8(ascii: "-") || isDigit(byte): try scanNumber()
        case UInt8(ascii: "t"): try scanWord("true", .yes)
        case UInt8(ascii: "f"): try scanWord("false", .no)
        case UInt8(ascii: "n"): try scanWord("null", .null)
        case UInt8(ascii: "+"), UInt8(ascii: "."): throw syntax("a number that does not begin with a digit")
        default: throw syntax("no value")
        }
    }

    private mutating func begin(_ kind: Tape.Node.Kind) throws(JSONError) {
        guard open.count < limits.levels else { throw .limit("\(limits.levels) levels", at: position) }
        open.append(Level(container: tape.nodes.count, isObject: kind == .object))
        tape.nodes.append(.init(kind: kind, start: UInt32(position), length: 0))
        position += 1
    }

    private mutating func scanWord(_ word: StaticString, _ kind: Tape.Node.Kind) throws(JSONError) {
        let bytes = UnsafeBufferPointer(start: word.utf8Start, count: word.utf8CodeUnitCount)
        guard input[position...].starts(with: bytes) else { throw syntax("no value") }
        tape.nodes.append(.init(kind: kind, start: UInt32(position), length: UInt32(bytes.count)))
        position += bytes.count
    }

    private mutating func skipBlanks() {
        while position < input.count {
            switch input[position] {
            case 0x20, 0x09, 0x0a, 0x0d: position += 1
            default: return
            }
        }
    }

    /// What leads to the name that was read last, bounded, as it comes from outside and goes into logs and answers.
    private var path: String {
        var path = ""
        for level in open {
            if level.isObject {
                path += path.isEmpty ? "" : "."
                let name = tape.text(of: tape.nodes[level.name])
                path += String(String.UnicodeScalarView(name.unicodeScalars.prefix(64)))
            } else {
                path += "[\(level.count - 1)]"
            }
        }
        return path
    }
}
