/// Fields that every answer carries, but for those that it has itself. Put together once: most answers have none of
/// their own, and get all of these by one copy.
struct CommonFields: Sendable {
    private let lines: [(name: String, bytes: [UInt8])]
    private let all: [UInt8]

    init(_ fields: [(name: String, value: String)]) {
        lines = fields.map { name, value in
            var bytes: [UInt8] = []
            ResponseWriter.append(name, value, to: &bytes)
            return (name, bytes)
        }
        all = lines.flatMap(\.bytes)
    }

    /// - Parameter own: the fields of the answer; names in the same letters are the same.
    func append(besides own: [(name: String, value: String)], to output: inout [UInt8]) {
        guard !own.isEmpty else {
            output.append(contentsOf: all)
            return
        }
        for (name, bytes) in lines where !own.contains(where: { $0.name == name }) {
            output.append(contentsOf: bytes)
        }
    }
}
