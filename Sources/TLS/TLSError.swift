import CCrypto

/// What libssl says went wrong.
enum TLSError {
    /// The latest of this thread's errors, in words, with what to do where that is known; nil: there is none.
    static var latest: String? {
        let code = ERR_peek_last_error()
        defer { ERR_clear_error() }
        guard code != 0 else { return nil }
        guard let text = ERR_reason_error_string(code) else { return "error \(code)" }
        let reason = String(cString: text)
        return advice[reason].map { "\(reason): \($0)" } ?? reason
    }

    private static let advice = [
        "wrong version number": "it does not speak TLS",
        "packet length too long": "it does not speak TLS",
        "tlsv13 alert certificate required": "it wants a client's certificate",
        "sslv3 alert handshake failure": "it may want a client's certificate",
        "tlsv1 alert unknown ca": "it does not accept the client's certificate",
    ]
}
