/// A part of what a node answers to that can have a port of its own. Every port tells of the node's health too.
public enum Surface: String, CaseIterable, Sendable {
    /// What users call: the Re-invite API and the Bots API.
    case api
    /// `/console` where it is not on the public port, with what it asks there: `api` too.
    case console
    /// `/admin`.
    case admin
    /// `/internal`, where bots report.
    case `internal`
    /// `/metrics`.
    case metrics
}
