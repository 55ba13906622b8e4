import HTTP

/// How an operation is called from a shell, where `$USHER`, `$KEY` and `$ADMIN_KEY` are set.
enum CurlExample {
    static func text(_ operation: Operation) -> String {
        var path = operation.path
        for parameter in operation.parameters where parameter.place == .path {
            if let example = parameter.example {
                path = path.replacing("{\(parameter.name)}", with: unquoted(example))
            }
        }
        var lines = ["curl \(operation.method == .get ? "" : "-X \(operation.method.name) ")\"$USHER\(path)\""]
        switch operation.access {
        case .open: break
        case .apiKey: lines.append("-H \"Authorization: Bearer $KEY\"")
        case .adminKey: lines.append("-H \"X-Admin-API-Key: $ADMIN_KEY\"")
        case .botSecret: lines.append("-H \"x-internal-secret: $SECRET\"")
        }
        if let example = operation.body?.examples.last {
            // No example has an apostrophe, which would end what the shell takes as it is.
            lines.append("-H 'Content-Type: application/json' -d '\(example.value.json)'")
        }
        return lines.joined(separator: " \\\n  ")
    }

    private static func unquoted(_ value: OrderedJSON) -> String {
        if case .string(let text) = value { text } else { value.json }
    }
}
