import EventLoop
import Glibc
import Transfers
import Usher

/// Objects in a bucket of a store that speaks S3, by paths (`https://endpoint/bucket/prefix/...`): plain PUT, GET and DELETE,
/// signed by libcurl (AWS Signature Version 4).
///
/// `@unchecked Sendable`: belongs to the thread of its loop, and every call goes there.
final class BucketStorage: ArchiveStorage, @unchecked Sendable {
    /// How long the store is waited for.
    static let patienceMilliseconds = 20_000
    /// However many read what is in the archive, the store is asked for so much at once.
    private static let connections = 64
    /// Of what the store says of a failure, which is not shown.
    private static let keptBytes = 4_096

    private let loop: EventLoop
    private let address: String
    private let signature: TransferSignature
    private let certificates: String?
    private let patience: Int
    private var curl: Curl?

    /// - Parameters:
    ///   - loop: what waits for the store.
    ///   - patience: for so long, in milliseconds; less where whoever asks has less time.
    init(
        bucket: String, prefix: String, _ configuration: BucketConfiguration, loop: EventLoop,
        patience: Int = patienceMilliseconds
    ) {
        (self.loop, self.patience) = (loop, patience)
        let region = configuration.region
        var endpoint = configuration.endpoint ?? "https://s3.\(region).amazonaws.com"
        while endpoint.hasSuffix("/") { endpoint.removeLast() }
        address = "\(endpoint)/\(bucket)/\(prefix)"
        signature = TransferSignature(
            region: region, service: "s3", accessKey: configuration.accessKey ?? "",
            secretKey: configuration.secretKey ?? "")
        certificates = configuration.certificates
    }

    /// Cuts off what is under way, on the loop's thread.
    func stop() {
        curl?.close()
    }

    func write(_ bytes: [UInt8], to name: ArchiveName) async throws(ArchiveFault) -> Bool {
        let answer = try await ask("PUT", name, body: bytes, keptBytes: Self.keptBytes)
        guard answer.status == 200 || answer.status == 201 || answer.status == 204 else { throw Self.fault(answer) }
        return true
    }

    func read(_ name: ArchiveName, count: Int, until: MonotonicTime) async throws(ArchiveFault) -> [UInt8] {
        // With room for one more, which must not come.
        let answer = try await ask("GET", name, body: nil, keptBytes: max(count + 1, Self.keptBytes), until: until)
        switch answer.status {
        case 200: return Array(answer.firstBytes.prefix(count + 1))
        case 404 where Self.isWithoutObject(answer): throw .gone
        default: throw Self.fault(answer)
        }
    }

    func remove(_ name: ArchiveName) async throws(ArchiveFault) {
        let answer = try await ask("DELETE", name, body: nil, keptBytes: Self.keptBytes)
        // Another server, which is in its place for a while, has more to say to that.
        let isDone = answer.status == 204 || answer.status == 200 && answer.firstBytes.isEmpty
        guard isDone || answer.status == 404 && Self.isWithoutObject(answer) else { throw Self.fault(answer) }
    }

    /// A bucket that is not there, or whatever else answers in its place, has none either, and tells nothing.
    private static func isWithoutObject(_ answer: TransferAnswer) -> Bool {
        String(decoding: answer.firstBytes, as: UTF8.self).contains("NoSuchKey")
    }

    private static func fault(_ answer: TransferAnswer) -> ArchiveFault {
        // What libcurl says of a failure names no address.
        .away(answer.status.map { "its store answers \($0)" } ?? answer.problem ?? "its store does not answer")
    }

    private func ask(
        _ method: String, _ name: ArchiveName, body: [UInt8]?, keptBytes: Int, until: MonotonicTime? = nil
    ) async throws(ArchiveFault) -> TransferAnswer {
        let left = until?.milliseconds(since: .now()) ?? patience
        let answer = await Task(executorPreference: loop) { [self] in
            if curl == nil { curl = Curl(loop: loop, connections: Self.connections) }
            guard let curl,
                let transfer = Transfer(
                    method: method, url: address + name.path,
                    fields: [
                        "User-Agent: usher-archive/\(usherVersion)",
                        // libcurl signs it too.
                        "x-amz-content-sha256: \(Digest.sha256(body ?? []))",
                    ] + (body == nil ? [] : ["Content-Type: application/gzip"]),
                    body: body, certificates: certificates, signature: signature,
                    timeoutMilliseconds: max(1, min(left, patience)), keptBytes: keptBytes)
            else { return TransferAnswer.noMemory }
            return await transfer.send(curl)
        }.value
        return answer
    }
}
