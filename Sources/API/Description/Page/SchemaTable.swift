/// Schemas as people read them: a table of members, and a few words for what a value may be.
enum SchemaTable {
    /// The members of an object, those of the objects in it too; empty for what has no members of its own.
    static func html(_ schema: Schema) -> HTMLText {
        let rows = rows(schema, prefix: "")
        guard !rows.isEmpty else { return "" }
        return "<table><tr><th>Member</th><th>Type</th><th>Meaning</th></tr>\(.joined(rows))</table>"
    }

    private static func rows(_ schema: Schema, prefix: String) -> [HTMLText] {
        switch schema.kind {
        case .object(let properties, _):
            properties.flatMap { property -> [HTMLText] in
                let name = prefix + property.name
                return [
                    """
                    <tr><td><code>\(name)</code></td><td>\(words(property.schema))\
                    \(absence(property.isRequired))</td><td>\(.prose(property.meaning))</td></tr>
                    """
                ] + rows(property.schema, prefix: "\(name).")
            }
        case .list(let element, _, _): rows(element, prefix: prefix.isEmpty ? "[]." : "\(prefix.dropLast())[].")
        case .any, .string, .integer, .number, .boolean, .reference: []
        }
    }

    /// What is said of a value that need not be there.
    static func absence(_ isRequired: Bool) -> HTMLText {
        isRequired ? "" : " <i>may be absent</i>"
    }

    /// What a value may be.
    static func words(_ schema: Schema) -> HTMLText {
        let words: HTMLText =
            switch schema.kind {
            case .any: "anything"
            case .string(let rules): string(rules)
            case .integer(let least, let greatest): "integer\(bounds(least, greatest))"
            case .number: "number"
            case .boolean: "true or false"
            case .list(let element, let atLeast, let atMost):
                "list of \(Self.words(element))\(bounds(atLeast == 0 ? nil : atLeast, atMost, of: " of them"))"
            case .object: "object"
            case .reference(let named): "<a href=\"#\(named.name)\">\(named.name)</a>"
            }
        return schema.isNullable ? "\(words), or null" : words
    }

    private static func string(_ rules: Schema.StringRules) -> HTMLText {
        if !rules.values.isEmpty { return .joined(rules.values.map { "<code>\($0)</code>" }, by: ", ") }
        let name =
            switch rules.format {
            case "date-time": "time (RFC 3339)"
            case "idn-email": "email"
            case "uuid": "UUID"
            default: "string"
            }
        guard let length = rules.length else { return "\(name)" }
        return
            "\(name)\(bounds(length.lowerBound == 0 ? nil : length.lowerBound, length.upperBound, of: " characters"))"
    }

    private static func bounds(_ least: Int?, _ greatest: Int?, of unit: String = "") -> HTMLText {
        // The largest number that every reader of JSON takes as it is: of no interest to people.
        let greatest = greatest == Schema.greatestExactInteger ? nil : greatest
        return switch (least, greatest) {
        case (nil, nil): ""
        case (let least?, nil): ", at least \(least)\(unit)"
        case (nil, let greatest?): ", at most \(greatest)\(unit)"
        case (let least?, let greatest?): ", \(least) to \(greatest)\(unit)"
        }
    }
}
