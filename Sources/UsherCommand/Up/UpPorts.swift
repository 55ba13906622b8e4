import EventLoop

/// The ports of one `usher up`. Those that its nodes share are kept for them; for metrics each process gets one of its
/// own, since a scrape of a shared port would reach one of the nodes by chance.
struct UpPorts {
    /// With the ports that the system chose, and the URL that bots report to.
    let settings: Settings
    /// The public API, as it is reached from this machine.
    let baseURL: String
    private let reservations: [PortReservation]

    /// - Throws: `UpFailure` if a port is in use or cannot be had.
    init(_ given: Settings) throws(UpFailure) {
        var settings = given
        var reservations = [try PortReservation(host: settings.host, port: settings.port)]
        var hosts = [settings.host]
        settings = settings.with(\.port, String(reservations[0].port))
        for path in [\SettingsTable.adminPort, \.internalPort, \.consolePort] {
            guard let port = settings[dynamicMember: path] else { continue }
            let isReserved = zip(hosts, reservations).contains { $0 == settings.privateHost && $1.port == port }
            if isReserved { continue }
            let reservation = try PortReservation(host: settings.privateHost, port: port, of: Setting[path])
            settings = settings.with(path, String(reservation.port))
            reservations.append(reservation)
            hosts.append(settings.privateHost)
        }
        baseURL = Self.url(settings.host, settings.port)
        let reports = settings.internalPort.map { Self.url(settings.privateHost, $0) } ?? baseURL
        // Said to all of them, as a runner has no public address that it could take it from.
        self.settings = settings.with(\.apiURL, reports).with(\.privateHost, settings.privateHost)
        self.reservations = reservations
        try checkMetricsPorts()
    }

    private var metricsPorts: ClosedRange<Int>? {
        guard let first = settings.metricsPort, first > 0 else { return nil }
        return first...(first + settings.nodes + settings.runners - 1)
    }

    var metricsPortsOfNodes: [Int] { metricsPorts.map { Array($0.prefix(settings.nodes)) } ?? [] }

    private func checkMetricsPorts() throws(UpFailure) {
        guard let ports = metricsPorts else { return }
        let others = reservations.map(\.port)
        guard ports.upperBound <= 65_535, !others.contains(where: ports.contains) else {
            throw UpFailure(
                "The nodes and runners need the ports \(ports.lowerBound) to \(ports.upperBound) for metrics, one each, "
                    + "and not all of them are free for that; choose others with --metrics-port.")
        }
    }

    /// What a node's or a runner's settings become, by what all of them get. The first of them is number 1.
    func settings(_ settings: Settings, ofNode number: Int) -> Settings { withMetricsPort(number - 1, settings) }
    func settings(_ settings: Settings, ofRunner number: Int) -> Settings {
        withMetricsPort(settings.nodes + number - 1, settings)
    }

    private func withMetricsPort(_ index: Int, _ settings: Settings) -> Settings {
        metricsPorts.map { settings.with(\.metricsPort, String($0.lowerBound + index)) } ?? settings
    }

    /// Where the console is reached from this machine.
    var consoleURL: String {
        (settings.consolePort.map { Self.url(settings.privateHost, $0) } ?? baseURL) + "/console"
    }

    /// The lines of the announcement that tell of ports beside the public one.
    var announcement: [String] {
        var lines: [String] = []
        let host = settings.privateHost
        if let port = settings.adminPort { lines.append("  admin      \(Self.url(host, port))/admin") }
        if let port = settings.internalPort { lines.append("  reports    \(Self.url(host, port))/internal") }
        if let ports = metricsPorts {
            lines.append("  metrics    " + ports.map { "\(Self.url(host, $0))/metrics" }.joined(separator: ", "))
        }
        return lines
    }

    /// Where a client on this machine reaches what listens on `host`.
    static func reachable(_ host: String) -> String {
        switch host {
        case "0.0.0.0": "127.0.0.1"
        case "::": "::1"
        default: host
        }
    }

    private static func url(_ host: String, _ port: Int) -> String {
        let host = reachable(host)
        return "http://\(host.contains(":") ? "[\(host)]" : host):\(port)"
    }
}
