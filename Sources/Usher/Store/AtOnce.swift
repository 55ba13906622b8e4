import Redis

/// Does something for each of some things at once, so that their first questions leave together. One that fails keeps no
/// other from being done.
/// - Returns: what came of each, in the order in which they ended.
func atOnce<Work: Sendable, Value: Sendable>(
    _ work: some Sequence<Work>, _ body: @escaping @Sendable (Work) async throws(RedisError) -> Value
) async -> [Result<Value, RedisError>] {
    await withTaskGroup(of: Result<Value, RedisError>.self) { group in
        for one in work {
            group.addTask {
                do throws(RedisError) {
                    return .success(try await body(one))
                } catch {
                    return .failure(error)
                }
            }
        }
        return await group.reduce(into: []) { $0.append($1) }
    }
}

extension [Result<Void, RedisError>] {
    var failures: [RedisError] {
        compactMap { if case .failure(let error) = $0 { error } else { nil } }
    }
}
