import Log

/// Finds secrets in what a program wrote, as they are and in the forms that logs give them, and puts `***` in their place.
struct SecretMask {
    /// A shorter text is in every output, and guessed soon.
    static let minimumBytes = 4
    static let replacement = Array("***".utf8)

    /// By their first byte, the longest first, since one may begin another.
    private let forms: [[[UInt8]]]
    /// Bytes of the longest form; 0 if there is none.
    let longest: Int

    init(_ secrets: [String] = []) {
        var forms = [[[UInt8]]](repeating: [], count: 256)
        let all = Set(secrets.filter { $0.utf8.count >= Self.minimumBytes }.flatMap(Self.forms))
        for form in all { forms[Int(form[0])].append(form) }
        self.forms = forms.map { $0.sorted { $0.count > $1.count } }
        longest = all.map(\.count).max() ?? 0
    }

    /// How a secret may stand in a text: as it is; in JSON, with or without escaped slashes and letters beyond ASCII, and
    /// in JSON within JSON; in a URL.
    private static func forms(of secret: String) -> [[UInt8]] {
        let escaped = secret.jsonEscaped
        let plain = [
            secret, escaped, escaped.jsonEscaped, escaped.replacing("/", with: "\\/"), asciiJSON(escaped),
            percentEncoded(secret, uppercase: true), percentEncoded(secret, uppercase: false),
        ]
        return plain.map { Array($0.utf8) }
    }

    private static func asciiJSON(_ text: String) -> String {
        text.utf16.reduce(into: "") { result, unit in
            if let scalar = Unicode.Scalar(unit), scalar.isASCII {
                result.unicodeScalars.append(scalar)
            } else {
                let digits = String(unit, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            }
        }
    }

    /// RFC 3986, section 2.1: all but the unreserved characters.
    private static func percentEncoded(_ text: String, uppercase: Bool) -> String {
        text.utf8.reduce(into: "") { result, byte in
            let scalar = Unicode.Scalar(byte)
            let isUnreserved = scalar.isASCII && (scalar.properties.isAlphabetic || ("0"..."9").contains(scalar))
            if isUnreserved || "-._~".unicodeScalars.contains(scalar) {
                result.unicodeScalars.append(scalar)
            } else {
                result += (byte < 16 ? "%0" : "%") + String(byte, radix: 16, uppercase: uppercase)
            }
        }
    }

    /// The text without secrets, nor the beginning of one at its end, which the program had no time to finish.
    /// - Parameter wasCut: whether more stood before: then what may be the end of a secret is left out too.
    func masked(_ bytes: [UInt8], wasCut: Bool) -> [UInt8] {
        guard longest > 0 else { return bytes }
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        let start = wasCut ? longest - 1 : 0
        var index = 0
        while index < bytes.count {
            let length = lengthOfSecret(in: bytes, at: index)
            if index + max(1, length) > start {
                if length > 0 { result += Self.replacement } else { result.append(bytes[index]) }
            }
            index += max(1, length)
        }
        return result
    }

    /// Bytes of the secret that begins here, of which the end may be missing; 0 if none does.
    private func lengthOfSecret(in bytes: [UInt8], at index: Int) -> Int {
        let left = bytes.count - index
        for form in forms[Int(bytes[index])] {
            let length = min(form.count, left)
            guard length >= Self.minimumBytes else { continue }
            if (1..<length).allSatisfy({ bytes[index + $0] == form[$0] }) { return length }
        }
        return 0
    }
}
