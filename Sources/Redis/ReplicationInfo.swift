/// What `INFO` or `INFO replication` says of a primary's replicas.
public struct ReplicationInfo {
    public struct Replica {
        public let address: String
        /// Such as `online`.
        public let state: String
        /// How much of the primary's stream of changes it has, in bytes.
        public let offset: Int
        /// How long ago it said so: it does every second.
        public let lagSeconds: Int

        public var isOnline: Bool { state == "online" }

        /// Whether it has said within so much time what it has. One that is loading all that it was sent is online, and has
        /// nothing yet.
        public func isThere(for milliseconds: Int) -> Bool {
            isOnline && offset > 0 && (0...milliseconds / 1_000).contains(lagSeconds)
        }
    }

    /// Of the history of changes, which a new primary begins anew.
    let id: String
    public let replicas: [Replica]

    /// - Parameter info: `Value.info`.
    public init(_ info: [String: String]) {
        id = info["master_replid"] ?? ""
        replicas = (0..<min(1_000, info["connected_slaves"].flatMap { Int($0) } ?? 0)).compactMap { index in
            info["slave\(index)"].map(Self.replica)
        }
    }

    /// Such as `ip=10.0.0.7,port=6379,state=online,offset=1234,lag=0`.
    private static func replica(_ text: String) -> Replica {
        var fields: [Substring: String] = [:]
        for field in text.split(separator: ",") {
            let parts = field.split(separator: "=", maxSplits: 1)
            if parts.count == 2 { fields[parts[0]] = String(parts[1]) }
        }
        return Replica(
            address: "\(fields["ip"] ?? "?"):\(fields["port"] ?? "?")", state: fields["state"] ?? "unknown",
            offset: fields["offset"].flatMap { Int($0) } ?? 0, lagSeconds: fields["lag"].flatMap { Int($0) } ?? 0)
    }
}
