"""Mutants of Redis."""

from mutant import Mutant

CONNECTION = "Redis/Connection/Connection.swift"
QUEUE = "Redis/Connection/ReplyQueue.swift"
QUORUM = "Redis/Connection/ReplicaQuorum.swift"
LINK = "Redis/Connection/Link.swift"
LOGIN = "Redis/Connection/Login.swift"
TLS = ("TLSTests",)
SUBSCRIBER = "Redis/Subscriber.swift"
CLUSTER = "Redis/Cluster/Cluster.swift"
WATCH = "Redis/Sentinel/SentinelWatch.swift"
KNOWN = "Redis/Sentinel/KnownPrimary.swift"
CLAIM_TESTS = ("KnownPrimaryTests",)
ON_CLUSTER = ("ClusterTests",)
LIVE = ("ConnectionTests", "ClientTests", "FaultTests", "HostilePeerTests")

REDIS = (
    Mutant("one replica's confirmation passes for two", QUEUE, "if «reached < replicas» {", "reached < 1",
           ("ReplicaWaitTests", "ReplyQueueTests")),
    Mutant("a replica that is back is not waited for at once", QUEUE, "failure == nil, let quorum, «quorum.required(at: now) > replicas»",
           "false", ("ReplyQueueTests",)),
    Mutant("a replica that has just gone is not waited for", QUORUM, "«now.milliseconds(since: since) >= wait.awayMilliseconds»",
           "true", ("ReplicaQuorumTests",)),
    Mutant("what was not seen for a while counts as gone all the while", QUORUM,
           "if since == nil || «now.milliseconds(since: seenAt) > gapMilliseconds» || seen.id != primary {", "false",
           ("ReplicaQuorumTests",)),
    Mutant("what another primary said counts", QUORUM, "> gapMilliseconds || «seen.id != primary» {", "false",
           ("ReplicaQuorumTests",)),
    Mutant("a change that replicas lack counts at once", QUEUE,
           "guard batch.isWaited, let isChange = batch.isChange, «isChange(reply)» else", "false",
           ("ReplicaWaitTests", "ReplyQueueTests")),
    Mutant("each change has a confirmation of its own", CONNECTION, "isFlushHeld = «queue.isWaitingForReplicas»", "false",
           ("ReplicaWaitTests",)),
    Mutant("a silent connection is kept", QUEUE, "isStuck = «first.deadline <= now && silenceEnd <= now»",
           "false", LIVE + ("ReplyQueueTests",)),
    Mutant("a connection is given up at the first deadline", QUEUE,
           "isStuck = «first.deadline <= now && silenceEnd <= now»",
           "first.deadline <= now", LIVE + ("ReplyQueueTests",)),
    Mutant("a reply that nobody asked for is taken for the next", CONNECTION,
           "if «replies.hasBegun», queue.count == 0", "false", LIVE),
    Mutant("a reply of any size is kept", CONNECTION, "} else if «replies.unparsedBytes > Self.maximumReplyBytes» {", "false", LIVE),
    Mutant("a Redis that has become a replica is kept", CONNECTION, "if «Self.isOfReplica(text)» {", "false",
           ("SentinelTests",)),
    Mutant("a script's error of a replica is not known", CONNECTION,
           'text.hasPrefix("READONLY ") || «text.contains(" -READONLY ")»', "false", LIVE),
    Mutant("the connection is inherited by programs", "EventLoop/OutgoingConnection.swift",
           "Int32(SOCK_CLOEXEC.rawValue)", "0", LIVE),
    Mutant("a late WAIT confirms what comes after", QUEUE,
           "if let openWait, openWait.batch.deadline <= now { _ = takeUnconfirmed() }", "", ("ReplyQueueTests",),
           is_statement=True),
    Mutant("a certificate for any name is taken", "TLS/TLSSession.swift",
           "SSL_set1_host(session, host) == 1", "true", TLS),
    Mutant("a certificate for any address is taken", "TLS/TLSSession.swift",
           "X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(session), host) != 1", "!host.contains(\"127.\")", TLS),
    Mutant("a URL with TLS is followed without", "Redis/Client.swift", "guard «url.isEncrypted» else { return nil }", "false",
           TLS),
    Mutant("what was pending is never told that it is lost", CONNECTION,
           "for batch in lost { batch.complete(.failure(.connectionLost)) }", "", LIVE, is_statement=True),

    Mutant("calls that wait are without bound", LINK, "connection.pendingCount < configuration.maximumPendingCalls",
           "true", LIVE),
    Mutant("bytes that wait are without bound", LINK, "connection.unsentBytes < configuration.maximumUnsentBytes",
           "true", LIVE),
    Mutant("a command is sent after its deadline", LINK, "guard «deadline > loop.now» else", "true", LIVE),
    Mutant("only the first address is tried", LINK, "self?.fail(reason, remaining: «targets.dropFirst()»)", "[]", LIVE),
    Mutant("a Redis that loads its data refuses for good", LOGIN, '«"LOADING "», "BUSY "', '"BUSY "',
           ("LoginTests", "FaultTests")),
    Mutant("an error shows the password", LOGIN, "return «isKnown» ? text", "true",
           ("LoginTests", "ClientTests", "HostilePeerTests")),
    Mutant("a replica is logged in to as the primary", LOGIN, 'role != "master"', "false",
           ("KnownPrimaryTests", "SentinelTests")),
    Mutant("a login that did not last begins the pauses anew", "Redis/Backoff.swift",
           "milliseconds >= bounds.upperBound", "true", LIVE),
    Mutant("pauses do not grow", "Redis/Backoff.swift", "failures += 1", "", LIVE, is_statement=True),
    Mutant("a script that was forgotten is not sent again", "Redis/Client.swift",
           'guard «text.hasPrefix("NOSCRIPT")» else', "false", LIVE),
    Mutant("what comes before a script may fail", "Redis/Client.swift",
           "if preceding != nil, case .error(let text) = replies[0] { throw .refused(text) }", "",
           LIVE + ("ReinvitationFaultTests",), is_statement=True),
    Mutant("a hash with an odd end is taken", "Redis/Value.swift", "guard «values.count % 2 == 0» else",
           "values.count > 0", ("ValueTests",)),

    Mutant("a silent subscription is kept a thousand times longer", SUBSCRIBER,
           "silenceLimitMilliseconds = «15_000»", "15_000_000", ("SubscriberTests",)),
    Mutant("a subscription that answers is left all the same", SUBSCRIBER,
           "guard let reader = session?.reader else { return }\n        «session?.lastInput = loop.now»", "",
           ("SubscriberTests",), is_statement=True),
    Mutant("messages of channels that were left are told", SUBSCRIBER,
           "guard «channels.contains(channel)» else { return }", "true", ("SubscriberTests",)),
    Mutant("each refusal is told anew", SUBSCRIBER, "if «!isLost» {", "true", ("SubscriberTests",)),
    Mutant("a message of any size is kept", SUBSCRIBER, "reader.unparsedBytes > Self.maximumMessageBytes", "false",
           ("SubscriberTests",)),

    Mutant("another service's new primary is taken", WATCH, "words[0] == service.name", "true", ("SentinelTests",)),
    Mutant("a failover that Sentinels tell of is not heard", WATCH, "guard «words.count == 5», words[0]", "false",
           ("SentinelTests",)),
    Mutant("a Sentinel that was cut off is believed", KNOWN,
           "newest.epoch >= epoch || claims.count == asked", "true", CLAIM_TESTS),
    Mutant("Sentinels that were set up anew are never believed", KNOWN,
           "newest.epoch >= epoch || claims.count == asked", "newest.epoch >= epoch", CLAIM_TESTS),
    Mutant("a primary that was left is taken back", KNOWN, "epoch = epoch.addingClamped(1)", "", CLAIM_TESTS,
           is_statement=True),
    Mutant("the oldest epoch counts", KNOWN, "$0.epoch < $1.epoch", "$0.epoch > $1.epoch", CLAIM_TESTS),

    Mutant("a slot that has moved is not followed", CLUSTER, "map?.assign(slot, to: address)", "", ON_CLUSTER,
           is_statement=True),
    Mutant("ASK leads nowhere", CLUSTER, "part.askedOf = address", "", ON_CLUSTER, is_statement=True),
    Mutant("the keys of a tag lie where the whole key would", "Redis/Cluster/HashSlot.swift",
           "close > rest.startIndex", "false", ("HashSlotTests",)),
    Mutant("a port of 0 in a redirection", "Redis/Cluster/NodeAddress.swift", "«port > 0» else {", "true",
           ("SlotMapTests",)),
    Mutant("a slot beyond the last", "Redis/Cluster/Redirection.swift", "(0..<HashSlot.count).contains(slot)", "true",
           ("SlotMapTests",)),
    Mutant("ranges of slots that end before they begin", "Redis/Cluster/SlotMap.swift", "first <= last", "true",
           ("SlotMapTests",)),
)
