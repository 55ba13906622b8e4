import CCurl
import CLinux
import EventLoop
import Glibc

/// What came of a request, as much of it as is kept.
public struct TransferAnswer: Sendable {
    /// Nil if there was none.
    public var status: Int?
    /// Seconds, as the answer asked for.
    public var retryAfter: Int?
    public var firstBytes: [UInt8] = []
    /// By which the server knows what it sent (RFC 9110, section 8.8.3), if it said so and it is not too long.
    public var etag: String?
    /// From the request to the answer's end.
    public var milliseconds = 0
    /// Why there is none.
    public var problem: String?
    /// Whether there is none since whoever took the request did not answer in time.
    public var isLate = false
    /// Whether all of its addresses were some that may not be connected to.
    public var isBlocked = false

    public init(status: Int? = nil, retryAfter: Int? = nil, problem: String? = nil, isBlocked: Bool = false) {
        (self.status, self.retryAfter, self.problem, self.isBlocked) = (status, retryAfter, problem, isBlocked)
    }

    /// Of a request that could not be made.
    public static let noMemory = TransferAnswer(problem: "libcurl has no memory")
}

/// By which a request is signed: AWS Signature Version 4.
public struct TransferSignature: Sendable {
    fileprivate let scope: String
    fileprivate let user: String

    public init(region: String, service: String, accessKey: String, secretKey: String) {
        scope = "aws:amz:\(region):\(service)"
        user = "\(accessKey):\(secretKey)"
    }
}

/// One request: to where it says and nowhere else, verified, and bounded in time and bytes.
///
/// Belongs to the thread of its loop, and lives until `completion` is called.
public final class Transfer {
    private static let maximumHeaderBytes = 65_536
    private static let maximumETagBytes = 256
    /// The system's certificates in one file, if there is one.
    private static let bundle: String? = {
        guard let file = curl_version_info(CURLVERSION_SEVENTH)?.pointee.cainfo else { return nil }
        let path = String(cString: file)
        return access(path, R_OK) == 0 ? path : nil
    }()

    private let easy: UnsafeMutableRawPointer
    private var fields: UnsafeMutablePointer<curl_slist>?
    private let mayConnect: (IPAddress) -> Bool
    private let keptBytes: Int
    private var answer = TransferAnswer()
    private var headerBytes = 0
    /// What became of the addresses that its name led to.
    private var hasRefused = false
    private var hasAllowed = false
    private let began = MonotonicTime.now()

    /// - Parameters:
    ///   - method: nil: POST with a body, and GET without.
    ///   - fields: `name: value`, without line ends.
    ///   - body: what is sent.
    ///   - certificates: the file of those to trust; nil: the system's.
    ///   - signature: nil: it is not signed.
    ///   - timeoutMilliseconds: for all of it.
    ///   - keptBytes: of the answer's body; with more the transfer ends.
    ///   - mayConnect: whether an address may be connected to.
    /// - Returns: nil if libcurl has no memory, or takes none of it.
    public init?(
        method: String? = nil, url: String, fields: [String], body: [UInt8]?, certificates: String?,
        signature: TransferSignature? = nil, timeoutMilliseconds: Int, keptBytes: Int,
        mayConnect: @escaping (IPAddress) -> Bool = { _ in true }
    ) {
        guard let easy = curl_easy_init() else { return nil }
        self.easy = easy
        self.mayConnect = mayConnect
        self.keptBytes = keptBytes
        for field in fields { self.fields = curl_slist_append(self.fields, field) }
        var codes = [
            usher_curl_set_pointer(easy, CURLOPT_URL, url),
            usher_curl_set_pointer(easy, CURLOPT_PROTOCOLS_STR, "http,https"),
            // Variables of the environment must not send it by another way, past the check of its address.
            usher_curl_set_pointer(easy, CURLOPT_PROXY, ""),
            usher_curl_set_long(easy, CURLOPT_FOLLOWLOCATION, 0),
            usher_curl_set_long(easy, CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_2TLS)),
            usher_curl_set_long(easy, CURLOPT_TIMEOUT_MS, timeoutMilliseconds),
            usher_curl_set_long(easy, CURLOPT_NOSIGNAL, 1),
            // A name server that does not answer is not waited for when the time is over.
            usher_curl_set_long(easy, CURLOPT_QUICK_EXIT, 1),
            usher_curl_set_pointer(easy, CURLOPT_HTTPHEADER, self.fields),
        ]
        if let body {
            codes.append(usher_curl_set_long(easy, CURLOPT_POSTFIELDSIZE, body.count))
            codes.append(
                body.withUnsafeBytes { usher_curl_set_pointer(easy, CURLOPT_COPYPOSTFIELDS, $0.baseAddress) })
        }
        if let method { codes.append(usher_curl_set_pointer(easy, CURLOPT_CUSTOMREQUEST, method)) }
        if let signature {
            codes.append(usher_curl_set_pointer(easy, CURLOPT_AWS_SIGV4, signature.scope))
            codes.append(usher_curl_set_pointer(easy, CURLOPT_USERPWD, signature.user))
        }
        if let certificates = certificates ?? Self.bundle {
            codes.append(usher_curl_set_pointer(easy, CURLOPT_CAINFO, certificates))
            // These alone. And libcurl keeps what it has read of a file, but not if there is a folder too.
            codes.append(usher_curl_set_pointer(easy, CURLOPT_CAPATH, nil))
        }
        codes += callbacks()
        guard codes.allSatisfy({ $0 == CURLE_OK }) else { return nil }
    }

    deinit {
        curl_easy_cleanup(easy)
        curl_slist_free_all(fields)
    }

    public func send(_ curl: Curl) async -> TransferAnswer {
        await withUnsafeContinuation { continuation in
            curl.start(easy) { [self] code in
                finish(code)
                continuation.resume(returning: answer)
            }
        }
    }

    private func finish(_ code: CURLcode?) {
        answer.milliseconds = MonotonicTime.now().milliseconds(since: began)
        var status = 0
        // One that goes on for ever is an answer all the same, once its status and first bytes are there.
        let wasEnough = code == CURLE_WRITE_ERROR && answer.firstBytes.count == keptBytes
        if code == CURLE_OK || wasEnough, usher_curl_get_long(easy, CURLINFO_RESPONSE_CODE, &status) == CURLE_OK,
            status > 0
        {
            answer.status = status
            var seconds: curl_off_t = 0
            if usher_curl_get_offset(easy, CURLINFO_RETRY_AFTER, &seconds) == CURLE_OK, seconds > 0 {
                answer.retryAfter = Int(seconds)
            }
        } else if hasRefused, !hasAllowed {
            answer.isBlocked = true
            answer.problem = "its address is not one of the internet"
        } else {
            var sentBytes = 0
            _ = usher_curl_get_long(easy, CURLINFO_REQUEST_SIZE, &sentBytes)
            answer.isLate = code == CURLE_OPERATION_TIMEDOUT && sentBytes > 0
            answer.problem = code.map { String(cString: curl_easy_strerror($0)) } ?? "it was given up"
        }
    }

    // MARK: Callbacks

    private func callbacks() -> [CURLcode] {
        let context = Unmanaged.passUnretained(self).toOpaque()
        return [
            usher_curl_set_pointer(easy, CURLOPT_WRITEDATA, context),
            usher_curl_set_taker(easy, CURLOPT_WRITEFUNCTION) { bytes, _, count, context in
                Unmanaged<Transfer>.fromOpaque(context!).takeUnretainedValue()
                    .take(UnsafeRawBufferPointer(start: bytes, count: count))
            },
            usher_curl_set_pointer(easy, CURLOPT_HEADERDATA, context),
            usher_curl_set_taker(easy, CURLOPT_HEADERFUNCTION) { bytes, _, count, context in
                let transfer = Unmanaged<Transfer>.fromOpaque(context!).takeUnretainedValue()
                transfer.headerBytes += count
                transfer.takeField(UnsafeRawBufferPointer(start: bytes, count: count))
                return transfer.headerBytes > Transfer.maximumHeaderBytes ? 0 : count
            },
            usher_curl_set_pointer(easy, CURLOPT_OPENSOCKETDATA, context),
            usher_curl_set_opener(easy) { context, _, address in
                Unmanaged<Transfer>.fromOpaque(context!).takeUnretainedValue().open(address!)
            },
        ]
    }

    /// - Returns: how many were taken; libcurl ends the transfer if that is not all.
    private func take(_ bytes: UnsafeRawBufferPointer) -> Int {
        let room = keptBytes - answer.firstBytes.count
        answer.firstBytes += bytes.prefix(room)
        return bytes.count <= room ? bytes.count : 0
    }

    /// A line of the head. One of an interim answer is followed by that of the answer.
    private func takeField(_ line: UnsafeRawBufferPointer) {
        guard line.count <= Self.maximumETagBytes, let colon = line.firstIndex(of: UInt8(ascii: ":")),
            String(decoding: line[..<colon], as: UTF8.self).lowercased() == "etag"
        else { return }
        let value = line[(colon + 1)...].drop { $0 == 0x20 }.prefix { $0 > 0x1f && $0 != 0x7f }
        // It is sent back as it is.
        answer.etag = String(validating: value, as: UTF8.self)
    }

    /// Opens a socket, if its address may be connected to: the very address, not the name that led to it.
    private func open(_ address: UnsafeMutablePointer<curl_sockaddr>) -> curl_socket_t {
        var storage = sockaddr_storage()
        let offset = MemoryLayout<curl_sockaddr>.offset(of: \.addr)!
        withUnsafeMutableBytes(of: &storage) { bytes in
            let count = min(bytes.count, Int(address.pointee.addrlen))
            bytes.copyMemory(
                from: UnsafeRawBufferPointer(start: UnsafeRawPointer(address).advanced(by: offset), count: count))
        }
        guard let ip = IPAddress(storage), mayConnect(ip) else {
            hasRefused = true
            return CURL_SOCKET_BAD
        }
        hasAllowed = true
        let kind = address.pointee.socktype | Int32(SOCK_CLOEXEC.rawValue)
        return socket(address.pointee.family, kind, address.pointee.`protocol`)
    }
}
