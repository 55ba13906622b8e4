/// HTML that is put together from text which is escaped, and from markup that stands in the code.
struct HTMLText: Sendable, ExpressibleByStringInterpolation {
    private(set) var html: String

    /// Markup: only what is interpolated is escaped.
    init(stringLiteral markup: String) {
        html = markup
    }

    init(stringInterpolation: Interpolation) {
        html = stringInterpolation.html
    }

    private init(html: String) {
        self.html = html
    }

    struct Interpolation: StringInterpolationProtocol {
        fileprivate var html = ""

        init(literalCapacity: Int, interpolationCount: Int) {
            html.reserveCapacity(literalCapacity)
        }

        mutating func appendLiteral(_ markup: String) {
            html += markup
        }

        mutating func appendInterpolation(_ text: String) {
            html += HTMLText.escape(text)
        }

        mutating func appendInterpolation(_ number: Int) {
            html += String(number)
        }

        mutating func appendInterpolation(_ other: HTMLText) {
            html += other.html
        }
    }

    static func + (left: HTMLText, right: HTMLText) -> HTMLText {
        HTMLText(html: left.html + right.html)
    }

    static func joined(_ parts: [HTMLText], by separator: HTMLText = "") -> HTMLText {
        HTMLText(html: parts.map(\.html).joined(separator: separator.html))
    }

    /// A text with code in backticks.
    static func prose(_ text: String) -> HTMLText {
        let parts = text.split(separator: "`", omittingEmptySubsequences: false)
        return joined(
            parts.enumerated().map { index, part in
                index.isMultiple(of: 2) ? "\(String(part))" : "<code>\(String(part))</code>"
            })
    }

    /// Paragraphs of prose, with an empty line between each.
    static func paragraphs(_ text: String) -> HTMLText {
        var paragraphs: [String] = [""]
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            if line.isEmpty {
                paragraphs.append("")
            } else {
                paragraphs[paragraphs.count - 1] += "\(line) "
            }
        }
        return joined(paragraphs.filter { !$0.isEmpty }.map { "<p>\(prose($0))</p>" })
    }

    private static func escape(_ text: String) -> String {
        var escaped = ""
        escaped.reserveCapacity(text.utf8.count)
        for character in text.unicodeScalars {
            switch character {
            case "&": escaped += "&amp;"
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            case "\"": escaped += "&quot;"
            case "'": escaped += "&#39;"
            default: escaped.unicodeScalars.append(character)
            }
        }
        return escaped
    }
}
