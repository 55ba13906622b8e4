"""Mutants of API."""

from mutant import Mutant

AUTHENTICATION = "API/Common/Authentication.swift"
ADDRESS = "API/Common/ClientAddress.swift"
ERROR = "API/Common/APIError.swift"
REPORT = "API/InternalAPI/StatusReportBody.swift"
REPORTS = "API/InternalAPI/StatusReportEndpoint.swift"
MEETINGS = "API/ReinviteAPI/WorkspaceMeetings.swift"
REINVITE = "API/ReinviteAPI/ReinviteEndpoint.swift"
INPUT = "API/Endpoint/Input.swift"

API = (
    Mutant("a key needs no scope", AUTHENTICATION, "guard «caller.has(scope)» else {", "true",
           ("ReinviteHTTPTests", "MeetingsHTTPTests", "EnvelopeTests", "test_access.py")),
    Mutant("a key opens every workspace", AUTHENTICATION,
           "caller.workspaceID == workspaceID || caller.workspaceID == workspaceID.lowercased()", "true",
           ("ReinviteHTTPTests", "MeetingsHTTPTests", "test_access.py")),
    Mutant("the scheme of credentials does not matter", AUTHENTICATION,
           "guard «isBearer», !credentials", "true", ("EnvelopeTests", "ReinviteHTTPTests", "test_access.py")),
    Mutant("a key of any length is hashed", AUTHENTICATION, "(1...maximumKeyBytes).contains(key.utf8.count)",
           "!key.isEmpty", ("EnvelopeTests", "test_access.py"),
           equivalent="A longer key is none of ours, and the digest of it opens nothing either: 401 in both cases."),
    Mutant("a role that is too low does", AUTHENTICATION, "«role >= minimum» else {", "true",
           ("MeetingsHTTPTests", "ReinviteHTTPTests", "test_access.py")),
    Mutant("whoever forwards is believed", ADDRESS,
           "guard var client = peer, !trustedProxies.isEmpty, «isTrusted(client)»", "true", ("RateLimitHTTPTests",)),
    Mutant("the first hop is the client", ADDRESS, "guard «isTrusted(address)» else { break }", "true",
           ("RateLimitHTTPTests",)),
    Mutant("a refusal for its rate says to come back at once", "API/Common/Gatekeeper.swift",
           "max(1, milliseconds.addingClamped(999) / 1_000)", "milliseconds / 1_000", ("RateLimitHTTPTests",)),
    Mutant("a change whose outcome is unknown is said to have changed nothing", ERROR,
           "} else if «error.mayHaveRun && !error.isRefusedForNow && !isRead» {", "false", ("EnvelopeTests", "test_redis_faults.py")),
    Mutant("errors of the Bots API have the other API's form", ERROR,
           '"internal", "ws", "events":\n            «self = .bots»', "self = .reinvite",
           ("EnvelopeTests", "BotsObjectTests", "RateLimitHTTPTests"), is_statement=True),
    Mutant("a key is asked for without saying how", ERROR,
           'if status == 401 { headers.append(("WWW-Authenticate", "Bearer")) }', "",
           ("EnvelopeTests", "ReinviteHTTPTests", "test_access.py"), is_statement=True),
    Mutant("a page may be of any size", INPUT, "Int(text), «bounds.contains(number)» else", "true",
           ("MeetingsHTTPTests", "test_meetings_api.py")),
    Mutant("a meeting of another workspace is unknown", MEETINGS, "refusal = .otherWorkspace", "",
           ("MeetingsHTTPTests", "test_access.py"), is_statement=True),
    Mutant("a report speaks for another bot", REPORTS, "guard «body.connectionID == place.botID» else", "true",
           ("test_status_reports.py",)),
    Mutant("a bot may report what only Usher says", REPORT, "Self.reportable.contains(status)", "true",
           ("test_status_reports.py",)),
    Mutant("a bot's log is kept whole", REPORT, "text.utf8.suffix(«maximumOutput»)", ".max",
           ("test_status_reports.py",)),
    Mutant("a restart is told as a dispatch", REINVITE, '«dispatch.isRestart» ? "restarted"', "false",
           ("ReinviteHTTPTests",)),
    Mutant("force_restart is taken for granted", REINVITE, "{ $0 }.orEmpty(«false»)", "true",
           ("ReinviteHTTPTests",)),
    Mutant("the lock's 503 does not say when to come back", "API/ReinviteAPI/ReinviteErrors.swift",
           "parameters: own, retryAfterSeconds: «2»)", "nil", ("ReinviteHTTPTests", "test_error_codes.py")),
    Mutant("a node that drains says that it is ready", "API/OperationsAPI/NodeReadiness.swift",
           "var isDraining: Bool { «draining.load(ordering: .relaxed)» }", "false", ("test_readiness.py",)),
    Mutant("one loop's Redis speaks for all", "API/OperationsAPI/NodeReadiness.swift",
           "if !stores.contains(where: { $0.client === store.client }) { stores.append(store) }",
           "if stores.isEmpty { stores.append(store) }", ("test_readiness.py", "test_node_faults.py"),
           is_statement=True),
    Mutant("counts of one route's answers mix", "API/OperationsAPI/RequestCounters.swift",
           "where «outcomes[index].status == status && outcomes[index].rawCode == code»", "true",
           ("RequestCountersTests",)),
)
