import Archive
import EventLoop
import Log
import Redis
import Usher

/// What one loop of a node reaches the records by: connections of its own, and the feeds that it follows.
struct LoopRecords: Sendable {
    let loop: EventLoop
    let client: Client
    /// For changes that wait for replicas, if they do.
    let changing: Client?
    let store: Store
    let hub: FeedHub

    /// - Throws: `SystemError` if the kernel grants no more descriptors.
    init(_ number: Int, _ configuration: NodeConfiguration, _ archive: Archive, _ logger: Logger) throws {
        let loop = try EventLoop(name: "\(number)")
        func client(_ name: String, _ change: (inout ClientConfiguration) -> Void = { _ in }) -> Client {
            var connection = configuration.connection(name)
            change(&connection)
            return Client(loop: loop, configuration: connection, logger: logger)
        }
        self.loop = loop
        self.client = client("\(number)")
        changing = configuration.replicaWait.map { wait in client("changes-\(number)") { $0.replicaWait = wait } }
        store = Store(
            client: self.client, changing: changing, configuration: configuration.store, archive: archive,
            logger: logger)
        // It has a connection once somebody views a feed.
        let reading = client("feeds-\(number)") {
            $0.isForBlockingReads = true
            $0.scripts = []
        }
        hub = FeedHub(
            store: store, blocking: reading, isCluster: configuration.connection.url.isCluster, logger: logger)
    }

    /// With their names among the metrics.
    var clients: [(String, Client)] { [("records", client)] + (changing.map { [("changes", $0)] } ?? []) }
}
