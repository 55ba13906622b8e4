import CCurl
import EventLoop

/// libcurl's multi interface on an event loop: libcurl says which descriptors and which time it waits for, and is told
/// when they are there (libcurl-multi(3), "MULTI_SOCKET").
///
/// `@unchecked Sendable`: belongs to the thread of its loop, and every entry checks that.
public final class Curl: @unchecked Sendable {
    /// To be done once in a process, before anything else (curl_global_init(3)).
    private static let isReady = curl_global_init(Int(CURL_GLOBAL_ALL)) == CURLE_OK
    /// Connections that are kept for the next request.
    private static let idleConnections = 256

    private let loop: EventLoop
    private let multi: UnsafeMutableRawPointer
    private var watches: [Int32: Watch] = [:]
    private var timer: ScheduledTimer?
    private var completions: [UnsafeMutableRawPointer: (CURLcode?) -> Void] = [:]
    private var isClosed = false

    /// - Parameter connections: how many there may be at once, what comes beyond waiting for one of them; 0: any number.
    /// - Returns: nil if libcurl has no memory.
    public init?(loop: EventLoop, connections: Int = 0) {
        guard Self.isReady, let multi = curl_multi_init() else { return nil }
        self.loop = loop
        self.multi = multi
        _ = usher_curl_multi_set_long(multi, CURLMOPT_MAXCONNECTS, Self.idleConnections)
        _ = usher_curl_multi_set_long(multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, connections)
    }

    /// Begins a transfer.
    /// - Parameter completion: told once how it ended; nil if it was cut short by `close`. The handle is the caller's
    ///   again.
    func start(_ easy: UnsafeMutableRawPointer, completion: @escaping (CURLcode?) -> Void) {
        loop.preconditionCurrent()
        guard !isClosed else { return completion(nil) }
        if completions.isEmpty { connect() }
        completions[easy] = completion
        let code = curl_multi_add_handle(multi, easy)
        guard code != CURLM_OK else { return }
        completions[easy] = nil
        completion(CURLE_FAILED_INIT)
    }

    /// Cuts all transfers short.
    public func close() {
        loop.preconditionCurrent()
        guard !isClosed else { return }
        isClosed = true
        let cut = completions
        completions = [:]
        for (easy, completion) in cut {
            curl_multi_remove_handle(multi, easy)
            completion(nil)
        }
        curl_multi_cleanup(multi)
        timer?.cancel()
        for watch in watches.values { watch.registration?.cancel() }
        watches = [:]
    }

    /// The callbacks have this object; they come only during calls that are made here.
    private func connect() {
        _ = usher_curl_multi_set_context(multi, Unmanaged.passUnretained(self).toOpaque())
        _ = usher_curl_multi_set_watcher(multi) { _, descriptor, what, context, _ in
            Unmanaged<Curl>.fromOpaque(context!).takeUnretainedValue().watch(descriptor, what)
            return 0
        }
        _ = usher_curl_multi_set_timer(multi) { _, milliseconds, context in
            Unmanaged<Curl>.fromOpaque(context!).takeUnretainedValue().wake(afterMilliseconds: milliseconds)
            return 0
        }
    }

    // MARK: What libcurl asks for

    private final class Watch: DescriptorHandler {
        let descriptor: Int32
        unowned let curl: Curl
        var registration: Registration?

        init(_ descriptor: Int32, _ curl: Curl) {
            self.descriptor = descriptor
            self.curl = curl
        }

        func ready(_ readiness: Readiness) {
            var events: Int32 = 0
            if readiness.contains(.readable) { events |= CURL_CSELECT_IN }
            if readiness.contains(.writable) { events |= CURL_CSELECT_OUT }
            if readiness.contains(.closed) { events |= CURL_CSELECT_ERR }
            curl.act(descriptor, events)
        }
    }

    private func watch(_ descriptor: Int32, _ what: Int32) {
        var interest: Readiness = []
        if what == CURL_POLL_IN || what == CURL_POLL_INOUT { interest.insert(.readable) }
        if what == CURL_POLL_OUT || what == CURL_POLL_INOUT { interest.insert(.writable) }
        if what == CURL_POLL_REMOVE {
            watches.removeValue(forKey: descriptor)?.registration?.cancel()
        } else if let watch = watches[descriptor] {
            watch.registration?.update(interest: interest)
        } else {
            let watch = Watch(descriptor, self)
            // Where the kernel refuses it, the transfer ends with its time-out.
            watch.registration = try? loop.register(descriptor, interest: interest, handler: watch)
            watches[descriptor] = watch
        }
    }

    private func wake(afterMilliseconds milliseconds: Int) {
        timer?.cancel()
        timer = nil
        guard milliseconds >= 0 else { return }
        timer = loop.schedule(afterMilliseconds: milliseconds) { [unowned self] in act(CURL_SOCKET_TIMEOUT, 0) }
    }

    // MARK: What it is told

    private func act(_ descriptor: Int32, _ events: Int32) {
        guard !isClosed else { return }
        var running: Int32 = 0
        curl_multi_socket_action(multi, descriptor, events, &running)
        var left: Int32 = 0
        while let message = curl_multi_info_read(multi, &left) {
            guard message.pointee.msg == CURLMSG_DONE, let easy = message.pointee.easy_handle else { continue }
            let code = message.pointee.data.result
            curl_multi_remove_handle(multi, easy)
            completions.removeValue(forKey: easy)?(code)
        }
    }
}
