import Redis

/// What is found where there is no Redis to be asked anything.
extension Doctor {
    /// - Parameters:
    ///   - redis: the address, without user and password.
    ///   - text: what Redis said to the login.
    public static func refusedLogin(to redis: String, _ text: String) -> Finding {
        let found = "\(redis) refuses the login\(why(text))"
        if text.hasPrefix("MISCONF") {
            return .fail("writing to disk", found, "See Redis' log and make room on its disk.")
        }
        return .fail(
            "connection", found,
            "See the URL's user, password and database; a user needs CLIENT SETNAME and PING to log in.")
    }

    /// - Parameter reason: why the last attempt to connect failed, if one did.
    public static func silence(of redis: String, milliseconds: Int, because reason: String?) -> Finding {
        .fail(
            "connection", "\(redis) does not answer within \(milliseconds) ms\(why(reason))",
            "Start it, or name another with --redis.")
    }

    /// `: Connection refused`, as the end of a sentence without its full stop; empty where nothing is known.
    public static func why(_ reason: String?) -> String {
        guard let reason, !reason.isEmpty else { return "" }
        return ": " + shown(reason.hasSuffix(".") ? String(reason.dropLast()) : reason)
    }

    /// - Parameter error: what became of a command, after a login that was answered.
    public static func lost(_ redis: String, _ error: RedisError) -> Finding {
        .fail(
            "connection", "\(redis) answered at first, and then: \(shown(error.description))",
            "See Redis' log, and what is between; --redis-timeout-ms says how long a command may take.")
    }
}
