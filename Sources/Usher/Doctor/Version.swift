extension Doctor {
    /// The commands that Usher uses are those of Redis 6.2, the last to come being XAUTOCLAIM. What it needs of 7.0 is
    /// that command's behaviour: before, an entry that was deleted while it was pending, as that of a dispatch that was
    /// stopped, is returned as nil, without the id by which it could be acknowledged.
    static func version(_ reading: Reading) -> Finding {
        let subject = "version"
        guard case .given(let info) = reading.info else {
            return .unknown(subject, because: reading.info.reason, "See that it is Redis 7.0 or newer.")
        }
        let version = info["redis_version"] ?? ""
        let numbers = version.split(separator: ".").prefix(2).map { Int($0) }
        guard numbers.count == 2, let major = numbers[0], let minor = numbers[1] else {
            return .warn(
                subject, "INFO says \"\(shown(version))\", which is no version of Redis",
                "See that it does what Redis 7.0 does.")
        }
        var found = "Redis \(shown(version))"
        if let name = info["server_name"], name != "redis" {
            found = "\(shown(name)) \(shown(info["\(name)_version"] ?? "")), which does what \(found) does"
        }
        if (major, minor) >= (7, 0) { return .ok(subject, found) }
        if (major, minor) >= (6, 2) {
            return .warn(
                subject, "\(found), whose XAUTOCLAIM keeps entries pending for ever that were deleted meanwhile",
                "Use Redis 7.0 or newer, with which Usher is tested.")
        }
        return .fail(
            subject, "\(found), which has no XAUTOCLAIM: nobody takes over the dispatches of a runner that died",
            "Use Redis 7.0 or newer.")
    }
}
