import Log

/// Writes a JSON object member by member: for the answers that are too many or too long for an encoder.
struct JSONText {
    private(set) var text = "{"

    mutating func add(_ name: StaticString, _ value: String?) {
        begin(name)
        guard let value else {
            text += "null"
            return
        }
        text += "\""
        text += value.jsonEscaped
        text += "\""
    }

    mutating func add(_ name: StaticString, _ value: Int?) {
        begin(name)
        text += value.map { String($0) } ?? "null"
    }

    /// - Parameter values: written as a list of strings.
    mutating func add(_ name: StaticString, _ values: [String]) {
        begin(name)
        text += "[" + values.map { "\"\($0.jsonEscaped)\"" }.joined(separator: ",") + "]"
    }

    /// - Parameter json: a JSON text of its own.
    mutating func add(_ name: StaticString, json: String) {
        begin(name)
        text += json
    }

    /// The object, with nothing to be added any more.
    var closed: String { text + "}" }

    private mutating func begin(_ name: StaticString) {
        text += text.utf8.count == 1 ? "\"" : ",\""
        text += name.description
        text += "\":"
    }
}
