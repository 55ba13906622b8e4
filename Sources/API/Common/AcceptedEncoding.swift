/// What a request's `Accept-Encoding` allows.
enum AcceptedEncoding {
    /// Whether gzip is named, or `*` is, with another weight than 0 (RFC 9110, section 12.5.3).
    static func allowsGzip(_ field: String?) -> Bool {
        var others = false
        for entry in (field ?? "").lowercased().split(separator: ",") {
            let parts = entry.split(separator: ";").map { $0.filter { $0 != " " && $0 != "\t" } }
            guard let name = parts.first else { continue }
            let weight = parts.dropFirst().first { $0.hasPrefix("q=") }?.dropFirst(2)
            let isAllowed = weight.map { Double($0) ?? 0 > 0 } ?? true
            if name == "gzip" || name == "x-gzip" { return isAllowed }
            if name == "*" { others = isAllowed }
        }
        return others
    }
}
