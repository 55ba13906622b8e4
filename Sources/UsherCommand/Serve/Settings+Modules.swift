import API
import HTTP
import Redis
import Usher
import Webhooks

/// The settings in the words of the modules that they are for.
extension Settings {
    /// - Parameter surfaces: what is served.
    func httpConfiguration(of surfaces: Set<Surface>) -> HTTPConfiguration {
        var configuration = HTTPConfiguration()
        configuration.limits.requestLineBytes = maxRequestLineBytes
        configuration.limits.headerSectionBytes = maxHeaderBytes
        configuration.limits.headerFields = maxHeaderFields
        configuration.limits.bodyBytes = maxBodyBytes
        if surfaces.contains(.internal) {
            configuration.limits.bodyBytesByPath = [Routes.internalPath: maxReportBytes]
        }
        configuration.commonFields = WebFields.common
        configuration.crossOrigin = surfaces.contains(.api) ? WebFields.crossOrigin(corsOrigins) : nil
        configuration.errorResponse = ErrorAnswer.make
        configuration.headerTimeoutMilliseconds = headerTimeoutMilliseconds
        configuration.bodyTimeoutMilliseconds = bodyTimeoutMilliseconds
        configuration.idleTimeoutMilliseconds = idleTimeoutMilliseconds
        configuration.writeTimeoutMilliseconds = writeTimeoutMilliseconds
        configuration.requestDeadlineMilliseconds = requestTimeoutMilliseconds
        return configuration
    }

    var storeConfiguration: StoreConfiguration {
        var configuration = StoreConfiguration()
        configuration.redisTimeoutMilliseconds = redisTimeoutMilliseconds
        configuration.lockTimeToLiveMilliseconds = lockTTLMilliseconds
        configuration.lockWaitMilliseconds = lockWaitMilliseconds
        configuration.inFlightTimeToLiveMilliseconds = inFlightTTLMilliseconds
        configuration.maximumEvents = eventsMaxLength
        configuration.leaseTimeToLiveMilliseconds = leaseTTLMilliseconds
        configuration.maximumAttempts = maxAttempts
        configuration.defaultMaximumConcurrentBots = maxConcurrentBots
        configuration.defaultMaximumMeetings = maxMeetings
        configuration.defaultMaximumBytes = maxWorkspaceBytes
        configuration.retentionMilliseconds = retentionMilliseconds
        configuration.keyRateLimit = rateLimit
        configuration.addressRateLimit = addressRateLimit
        return configuration
    }

    /// Where webhooks may be.
    var receivers: ReceiverPolicy { ReceiverPolicy(allowed: webhookAllow) }

    var delivererConfiguration: DelivererConfiguration {
        var configuration = DelivererConfiguration()
        configuration.receivers = receivers
        configuration.certificates = webhookCertificates
        return configuration
    }

    /// What changes wait for; nil: for nothing.
    var replicaWait: ReplicaWait? {
        guard redisWaitReplicas > 0 else { return nil }
        return ReplicaWait(replicas: redisWaitReplicas, milliseconds: redisWaitMilliseconds)
    }

    func clientConfiguration(_ redis: RedisURL, name: String) -> ClientConfiguration {
        var configuration = ClientConfiguration(url: redis, name: name, scripts: Store.scripts)
        configuration.connectTimeoutMilliseconds = redisTimeoutMilliseconds
        return configuration
    }
}
