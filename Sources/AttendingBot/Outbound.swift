import BotWire
import EventLoop
import Transfers

/// Sends forms to services that the bot's configuration names, by http or https. Belongs to its loop's thread.
final class Outbound {
    /// What is wrong with an address, as the end of a sentence that begins with its name.
    struct Invalid: Error, CustomStringConvertible {
        let description: String
    }

    private let curl: Curl?
    private let certificates: String?

    /// - Parameter certificates: the file of those by which services are verified; nil: the system's.
    init(loop: EventLoop, certificates: String?) {
        curl = Curl(loop: loop)
        self.certificates = certificates
    }

    /// - Throws: `Invalid` for what is no address of a service.
    static func check(_ url: String) throws(Invalid) {
        guard url.hasPrefix("http://") || url.hasPrefix("https://") else {
            throw Invalid(description: "must start with http:// or https://")
        }
        guard url.utf8.allSatisfy({ (0x21...0x7e).contains($0) }), !url.hasSuffix("://") else {
            throw Invalid(description: "must be an address of ASCII without spaces")
        }
    }

    /// - Parameters:
    ///   - token: a secret that goes with it; nil: none.
    ///   - keptBytes: the most that the answer may have to be of use.
    func post(
        _ form: MultipartForm, to url: String, token: String?, timeoutMilliseconds: Int, keptBytes: Int
    ) async -> TransferAnswer {
        var fields = ["Content-Type: \(form.contentType)", "User-Agent: usher-attend", "Expect:"]
        if let token { fields.append("Authorization: Bearer \(token)") }
        guard let curl,
            let transfer = Transfer(
                url: url, fields: fields, body: form.body, certificates: certificates,
                timeoutMilliseconds: timeoutMilliseconds, keptBytes: keptBytes)
        else { return .noMemory }
        return await transfer.send(curl)
    }

    /// Gives all up.
    func close() { curl?.close() }
}

extension TransferAnswer {
    /// Why a request is to be sent again, and the least number of seconds to wait before; nil for an answer that is final.
    var trouble: (reason: String, afterSeconds: Int?)? {
        guard let status else { return (problem ?? "it does not answer", nil) }
        guard [408, 425, 429].contains(status) || status >= 500 else { return nil }
        return ("it answers \(status)", retryAfter.map { max(0, min($0, 60)) })
    }
}

/// A body of `multipart/form-data` (RFC 7578).
struct MultipartForm {
    private let boundary: String
    private var parts: [UInt8] = []

    init() {
        boundary = "usher-" + String(UInt64.random(in: .min ... .max), radix: 16)
    }

    var contentType: String { "multipart/form-data; boundary=\(boundary)" }
    var body: [UInt8] { parts + "--\(boundary)--\r\n".utf8 }

    mutating func add(_ name: String, _ value: String) {
        let value = value.filter { !$0.isNewline }
        parts += "--\(boundary)\r\nContent-Disposition: form-data; name=\"\(name)\"\r\n\r\n\(value)\r\n".utf8
    }

    mutating func add(_ name: String, fileName: String, type: String, _ bytes: [UInt8]) {
        parts += "--\(boundary)\r\nContent-Disposition: form-data; name=\"\(name)\"; filename=\"\(fileName)\"\r\n".utf8
        parts += "Content-Type: \(type)\r\n\r\n".utf8
        parts += bytes
        parts += "\r\n".utf8
    }
}
