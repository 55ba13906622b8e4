import API
import Archive
import Calendars
import EventLoop
import HTTP
import Redis
import Usher
import Webhooks

/// The settings of a node. Times in milliseconds.
public struct NodeConfiguration: Sendable {
    /// How Redis is reached: by any number of connections, each with a name of its own.
    public var connection: ClientConfiguration
    /// What changes wait for; nil: for nothing.
    public var replicaWait: ReplicaWait?
    public var store = StoreConfiguration()
    public var http = HTTPConfiguration()
    public var deliverer = DelivererConfiguration()
    public var calendars = CalendarConfiguration()
    /// Where transcripts move, if anywhere.
    public var archive = ArchiveConfiguration()
    /// The public one first.
    public var ports: [ServedPort]
    /// Whether nodes of the same Redis may listen on its ports too.
    public var sharesPort = false
    /// How many event loops serve requests.
    public var loops = 1
    public var maximumConnectionsPerAddress = 0
    /// Whose `X-Forwarded-For` tells where a request comes from.
    public var trustedProxies: [AddressRange] = []
    /// The longest body of a bot's report, in bytes.
    public var maximumReportBytes = 1 << 20
    /// What all large answers may hold at once, in bytes.
    public var answerMemoryBytes = 48 << 20
    public var liveFeedsPerKey = 200
    public var liveFeedsPerAddress = 1_000
    /// The origins of pages that may use the APIs.
    public var corsOrigins: [String] = []
    /// nil refuses every request to `/admin`.
    public var adminKey: String?
    /// Where webhooks and calendars may be.
    public var receivers = ReceiverPolicy()
    /// Whether bots record, and where that is.
    public var recordings = Recordings()
    /// Whether the page for people is there.
    public var servesConsole = true
    /// Whether it reads the stream that bots write their segments to.
    public var readsStream = true
    /// How long what is under way is answered once the node was told to stop.
    public var drainTimeoutMilliseconds = 10_000

    public init(connection: ClientConfiguration, ports: [ServedPort]) {
        self.connection = connection
        self.ports = ports
    }

    /// - Parameter surfaces: what is served.
    func http(of surfaces: Set<Surface>) -> HTTPConfiguration {
        var configuration = http
        if surfaces.contains(.internal) {
            configuration.limits.bodyBytesByPath = [Routes.internalPath: maximumReportBytes]
        }
        configuration.commonFields = WebFields.common
        configuration.crossOrigin = surfaces.contains(.api) ? WebFields.crossOrigin(corsOrigins) : nil
        configuration.errorResponse = ErrorAnswer.make
        return configuration
    }

    /// What the doctor looks at.
    var patient: RedisExamination.Patient {
        RedisExamination.Patient(connection, store, waitingFor: replicaWait?.replicas ?? 0)
    }

    /// A connection of this node, and what it is for.
    func connection(_ purpose: String) -> ClientConfiguration { connection.named("usher-serve-\(purpose)") }
}
