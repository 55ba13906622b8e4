import Log

/// What a command lists: the same columns as a table for people and as objects for programs.
struct Listing<Row> {
    /// A value in both forms; nil is `-`, and null.
    enum Cell: Encodable {
        case text(String?)
        case number(Int?)
        /// In milliseconds since 1970.
        case time(Int?)

        var shown: String {
            switch self {
            case .text(let text): text ?? "-"
            case .number(let number): number.map { String($0) } ?? "-"
            case .time(let time): time.map { Timestamp.withZone($0) } ?? "-"
            }
        }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            switch self {
            case .text(let text): try container.encode(text)
            case .number(let number): try container.encode(number)
            case .time(let time): try container.encode(time.map { Timestamp.withZone($0) })
            }
        }
    }

    /// What is listed, in the plural: `meetings`.
    let name: String
    let columns: [(name: String, cell: (Row) -> Cell)]

    /// - Parameter next: the options that show what follows; nil if nothing does.
    func text(_ rows: [Row], next: String?, asJSON: Bool) throws -> String {
        if asJSON {
            let objects = rows.map { row in
                Dictionary(uniqueKeysWithValues: columns.map { ($0.name, $0.cell(row)) })
            }
            return try PrettyJSON.text(Page(name: name, rows: objects, next: next))
        }
        var lines = OverviewText.table(
            columns.map { $0.name.uppercased() }, rows.map { row in columns.map { $0.cell(row).shown } })
        if rows.isEmpty { lines.append("no \(name)") }
        if let next { lines.append("more by \(next)") }
        return lines.joined(separator: "\n")
    }

    private struct Page: Encodable {
        struct Key: CodingKey {
            let stringValue: String
            var intValue: Int? { nil }
            init(stringValue: String) { self.stringValue = stringValue }
            init?(intValue: Int) { nil }
        }

        let name: String
        let rows: [[String: Cell]]
        let next: String?

        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: Key.self)
            try container.encode(rows, forKey: Key(stringValue: name))
            try container.encode(next, forKey: Key(stringValue: "next"))
        }
    }
}
