import BotWire

/// Reports that a server must refuse, or take without being moved by them.
enum BadReports {
    /// None of these is a valid event: 422 each.
    static func malformed(connectionID: String) -> [String] {
        [
            "{\"connection_id\":", "[]", "{\"status\":\"active\"}", "{\"connection_id\":\"\(connectionID)\"}",
            "{\"connection_id\":\"\(connectionID)\",\"status\":\"dancing\"}",
            "{\"connection_id\":\"\(connectionID)\",\"status\":5}",
        ]
    }

    /// The same report in the name of a bot that does not exist.
    static func foreign(_ report: StatusReport) -> StatusReport {
        var foreign = report
        foreign.connectionID = "00000000-0000-4000-8000-000000000000"
        return foreign
    }
}
