/// A command line or environment that is not understood: the start is refused with exit code 2.
struct UsageError: Error, Equatable, CustomStringConvertible {
    /// One sentence for standard error. It never holds a secret.
    let description: String

    init(_ description: String) {
        self.description = description
    }
}

/// `text` as it can be shown in a message: quoted, of bounded length and without control characters.
func quoted(_ text: String) -> String {
    var shown = ""
    for scalar in text.unicodeScalars.prefix(100) {
        shown += scalar.properties.generalCategory == .control ? "?" : String(scalar)
    }
    return "\"" + shown + (text.unicodeScalars.count > 100 ? "..." : "") + "\""
}

/// The candidate that `text` is probably a misspelling of, or nil if none is near.
func nearest<Candidates: Sequence<String>>(to text: String, among candidates: Candidates) -> String? {
    let text = Array(text.unicodeScalars.prefix(64))
    let near = candidates.map { (name: $0, distance: editDistance(text, Array($0.unicodeScalars))) }
        .min { $0.distance < $1.distance }
    guard let near, near.distance <= max(2, near.name.count / 4), near.distance < near.name.count else { return nil }
    return near.name
}

/// The Levenshtein distance: how many letters must be added, dropped or changed.
private func editDistance(_ left: [Unicode.Scalar], _ right: [Unicode.Scalar]) -> Int {
    var row = Array(0...right.count)
    for (index, letter) in left.enumerated() {
        var diagonal = row[0]
        row[0] = index + 1
        for (column, other) in right.enumerated() {
            let change = diagonal + (letter == other ? 0 : 1)
            diagonal = row[column + 1]
            row[column + 1] = min(change, diagonal + 1, row[column] + 1)
        }
    }
    return row[right.count]
}
