/// What a restart of Redis can lose (docs/architecture.md, "Failures").
extension Doctor {
    private static let lossAdvice = "Set `appendonly yes` and `appendfsync always`"

    static func persistence(_ reading: Reading) -> Finding {
        let subject = "persistence"
        guard let writesChanges = writesChanges(reading) else {
            return .unknown(
                subject, because: reading.info.reason,
                "See that `appendonly yes` and `appendfsync always` are set: without them a restart loses accepted "
                    + "dispatches.")
        }
        return writesChanges ? appendOnlyFile(reading) : snapshots(reading)
    }

    /// Whether there is an append-only file.
    private static func writesChanges(_ reading: Reading) -> Bool? {
        (reading.parameter("appendonly").map { $0 == "yes" }) ?? reading.info.value?["aof_enabled"].map { $0 == "1" }
    }

    private static func appendOnlyFile(_ reading: Reading) -> Finding {
        let subject = "persistence"
        guard let policy = reading.parameter("appendfsync") else {
            return .unknown(
                "\(subject) (appendonly is on)", because: unasked(reading, "appendfsync"),
                "See that it is `always`: with everysec a crash of the machine loses the last second.")
        }
        switch policy {
        case "always":
            if reading.parameter("no-appendfsync-on-rewrite") == "yes" {
                return .warn(
                    subject,
                    "appendonly with appendfsync always, but not while the file is rewritten: a crash of the machine "
                        + "then loses what was acknowledged since",
                    "Set `no-appendfsync-on-rewrite no`.")
            }
            return .ok(
                subject, "appendonly with appendfsync always: a restart or crash loses nothing that was acknowledged")
        case "everysec":
            return .warn(
                subject,
                "appendonly with appendfsync everysec: a crash of the machine loses the last second of what was "
                    + "acknowledged, at most, and a room whose bot is forgotten can get a second one for as long as a lease",
                "Set `appendfsync always`, or wait for replicas.")
        default:
            return .warn(
                subject,
                "appendonly with appendfsync \(shown(policy)): a crash of the machine loses what the kernel has not "
                    + "written yet, some 30 seconds, accepted dispatches among it",
                "Set `appendfsync always`.")
        }
    }

    private static func snapshots(_ reading: Reading) -> Finding {
        let subject = "persistence"
        let changes = reading.number("rdb_changes_since_last_save").map { ", \(counted($0, "change")) at this moment" }
        guard let points = reading.parameter("save") else {
            return .warn(
                subject,
                "no append-only file: a restart loses at least what changed since the last snapshot\(changes ?? ""), "
                    + "accepted dispatches among it. Whether there are snapshots is unknown, because "
                    + unasked(reading, "save"), "\(lossAdvice).")
        }
        if !points.isEmpty {
            return .warn(
                subject,
                "snapshots only (save \(shown(points))): a restart loses what changed since the last one"
                    + "\(changes ?? ""), accepted dispatches among it", "\(lossAdvice).")
        }
        let found = "nothing is written to disk: a restart loses every record, users and API keys too"
        if (reading.number("connected_slaves") ?? 0) > 0, reading.canFailOver {
            return .warn(
                subject, "\(found), unless a replica takes over first",
                "\(lossAdvice); at least see that a primary that crashed does not start again by itself, empty: its "
                    + "replicas would follow it.")
        }
        return .fail(subject, found, "\(lossAdvice).")
    }

    /// Why a parameter is not known.
    static func unasked(_ reading: Reading, _ name: String) -> String {
        reading.configuration.value == nil ? reading.configuration.reason : "CONFIG GET \(name) found nothing"
    }

    /// Whether what should be on disk gets there: Redis refuses changes otherwise.
    static func writing(_ reading: Reading) -> Finding {
        let subject = "writing to disk"
        guard case .given(let info) = reading.info else {
            return .unknown(subject, because: reading.info.reason, "Allow INFO, or look for MISCONF in Redis' log.")
        }
        if info["aof_last_write_status"].map({ $0 != "ok" }) == true, writesChanges(reading) == true {
            return .fail(
                subject, "the last write to the append-only file failed, and Redis refuses changes (MISCONF)",
                "See Redis' log and make room on its disk.")
        }
        if info["rdb_last_bgsave_status"].map({ $0 != "ok" }) == true {
            let advice = "See Redis' log: it may lack room on its disk, or memory for its fork."
            // Without save points, or told to go on, it only has no new snapshot.
            let goesOn = reading.parameter("stop-writes-on-bgsave-error") == "no" || reading.parameter("save") == ""
            return goesOn
                ? .warn(subject, "the last snapshot failed", advice)
                : .fail(subject, "the last snapshot failed, after which Redis refuses changes (MISCONF)", advice)
        }
        if info["aof_last_bgrewrite_status"].map({ $0 != "ok" }) == true {
            return .warn(
                subject, "the last rewrite of the append-only file failed: it grows, and takes longer to load",
                "See Redis' log: it may lack room on its disk, or memory for its fork.")
        }
        return .ok(subject, "no write has failed")
    }
}
