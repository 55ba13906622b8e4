import CCrypto
import EventLoop

/// One TLS connection of a client: bytes in, bytes out, and no socket.
public final class TLSSession: ConnectionLayer {
    private static let recordBytes = 16_384

    private let session: OpaquePointer
    /// What has come from the server, and what is to go to it. They belong to the session.
    private let input: OpaquePointer
    private let output: OpaquePointer
    /// Why it cannot begin.
    private var failure: String?
    public private(set) var isReady = false

    /// - Parameter host: whom the certificate has to name; nil: nobody could be, and no certificate is taken.
    init(_ context: OpaquePointer, host: String?) {
        guard let session = SSL_new(context), let input = BIO_new(BIO_s_mem()), let output = BIO_new(BIO_s_mem()) else {
            fatalError("out of memory")
        }
        self.session = session
        self.input = input
        self.output = output
        SSL_set_bio(session, input, output)
        SSL_set_connect_state(session)
        guard let host, !host.isEmpty else {
            failure = "TLS needs a server's name or address"
            return
        }
        // A certificate names addresses otherwise than names, which alone are told to the server (RFC 6066, section 3).
        if X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(session), host) != 1 {
            ERR_clear_error()
            guard SSL_set1_host(session, host) == 1, usher_tls_set_server_name(session, host) == 1 else {
                failure = "TLS cannot be asked for \(host)"
                return
            }
        }
        // The greeting: it waits for an answer.
        _ = SSL_do_handshake(session)
        ERR_clear_error()
    }

    deinit {
        SSL_free(session)
    }

    public func takeOutput() -> [UInt8] {
        let count = BIO_ctrl_pending(output)
        if count == 0 { return [] }
        return [UInt8](unsafeUninitializedCapacity: count) { buffer, written in
            written = max(0, Int(BIO_read(output, buffer.baseAddress, Int32(clamping: buffer.count))))
        }
    }

    public func wrap(_ bytes: [UInt8]) throws(LayerFailure) {
        var written = 0
        // Here and below: what another use of the library has left on this thread is not this one's failure.
        ERR_clear_error()
        let result = SSL_write_ex(session, bytes, bytes.count, &written)
        guard result == 1, written == bytes.count else { throw problem(result) }
    }

    public func unwrap(
        _ bytes: UnsafeBufferPointer<UInt8>, _ take: (UnsafeBufferPointer<UInt8>) -> Void
    ) throws(LayerFailure) -> Bool {
        if let failure { throw LayerFailure(reason: failure) }
        guard BIO_write(input, bytes.baseAddress, Int32(clamping: bytes.count)) == bytes.count else {
            throw LayerFailure(reason: "out of memory")
        }
        if !isReady {
            ERR_clear_error()
            let result = SSL_do_handshake(session)
            guard result == 1 else {
                if SSL_get_error(session, result) == SSL_ERROR_WANT_READ { return true }
                throw problem(result)
            }
            isReady = true
        }
        return try read(take)
    }

    private func read(_ take: (UnsafeBufferPointer<UInt8>) -> Void) throws(LayerFailure) -> Bool {
        let buffer = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: Self.recordBytes)
        defer { buffer.deallocate() }
        // As long as there are whole records.
        while true {
            var count = 0
            ERR_clear_error()
            let result = SSL_read_ex(session, buffer.baseAddress, buffer.count, &count)
            if result == 1 {
                take(UnsafeBufferPointer(rebasing: buffer[..<count]))
                continue
            }
            switch SSL_get_error(session, result) {
            case SSL_ERROR_WANT_READ: return true
            case SSL_ERROR_ZERO_RETURN: return false
            default: throw problem(result)
            }
        }
    }

    public var reasonOfEarlyEnd: String {
        failure ?? "the server ended it before TLS was agreed on: does it speak TLS?"
    }

    private func problem(_ result: Int32) -> LayerFailure {
        defer { ERR_clear_error() }
        let verdict = SSL_get_verify_result(session)
        if verdict != Int(X509_V_OK) {
            let reason = String(cString: X509_verify_cert_error_string(verdict))
            return LayerFailure(reason: "the server's certificate is not accepted: \(reason)")
        }
        return LayerFailure(reason: "TLS: \(TLSError.latest ?? "the connection was cut")")
    }
}
