import Log
import Usher

/// Writes a JSON object member by member: for the answers that are too many or too long for an encoder.
struct JSONText {
    /// Without the closing brace. Bytes, as they are what is sent: appending to text costs several times as much.
    private var open: [UInt8]

    /// - Parameter capacity: about how many bytes the object is going to have.
    init(capacity: Int = 128) {
        open = []
        open.reserveCapacity(capacity)
        open.append(UInt8(ascii: "{"))
    }

    mutating func add(_ name: StaticString, _ value: String?) {
        begin(name)
        guard let value else { return append("null") }
        appendQuoted(value)
    }

    mutating func add(_ name: StaticString, _ value: Int?) {
        begin(name)
        append(value.map { String($0) } ?? "null")
    }

    /// - Parameter milliseconds: since 1970, written as RFC 3339 has it.
    mutating func add(_ name: StaticString, time milliseconds: Int?) {
        begin(name)
        guard let milliseconds else { return append("null") }
        open.append(UInt8(ascii: "\""))
        Timestamp.append(milliseconds, to: &open)
        append("Z\"")
    }

    /// - Parameter json: a JSON text of its own.
    mutating func add(_ name: StaticString, json: String) {
        begin(name)
        append(json)
    }

    mutating func add(_ name: StaticString, _ object: JSONText) {
        begin(name)
        object.write(to: &open)
    }

    /// - Parameter objects: written as a list.
    mutating func add(_ name: StaticString, _ objects: [JSONText]) {
        begin(name)
        append("[")
        for (index, object) in objects.enumerated() {
            if index > 0 { append(",") }
            object.write(to: &open)
        }
        append("]")
    }

    mutating func add(_ name: StaticString, texts: [String]) {
        begin(name)
        append("[")
        for (index, text) in texts.enumerated() {
            if index > 0 { append(",") }
            appendQuoted(text)
        }
        append("]")
    }

    /// The object, with nothing to be added any more.
    var closed: String { String(decoding: bytes, as: UTF8.self) }

    /// The object as it is sent.
    var bytes: [UInt8] { open + CollectionOfOne(UInt8(ascii: "}")) }

    /// Appends the object, without a copy of its own.
    func write(to bytes: inout [UInt8]) {
        bytes += open
        bytes.append(UInt8(ascii: "}"))
    }

    private mutating func begin(_ name: StaticString) {
        if open.count > 1 { open.append(UInt8(ascii: ",")) }
        open.append(UInt8(ascii: "\""))
        open += UnsafeBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount)
        open.append(UInt8(ascii: "\""))
        open.append(UInt8(ascii: ":"))
    }

    private mutating func append(_ text: String) {
        var text = text
        text.withUTF8 { open += $0 }
    }

    private mutating func appendQuoted(_ text: String) {
        open.append(UInt8(ascii: "\""))
        text.appendJSONEscaped(to: &open)
        open.append(UInt8(ascii: "\""))
    }
}
